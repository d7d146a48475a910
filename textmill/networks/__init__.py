"""The parts of networks: embeddings, recurrent layers, masks, pooling, and pretrained encoders."""
