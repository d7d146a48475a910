"""What networks are made of: embeddings, recurrent layers, masks and pooling, encoders trained elsewhere."""
