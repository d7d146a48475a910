"""Documents as ids: flat, without padding, and how they lie on the disk."""
