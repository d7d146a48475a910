"""The training of networks: one loop, and what it needs."""
