"""The training of networks: one loop and its parts."""
