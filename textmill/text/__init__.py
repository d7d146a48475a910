"""Documents as ids: flat, without padding, and their files on disk."""
