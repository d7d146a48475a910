"""From raw files to split documents: reading, cleaning, sorting, hashing, splitting and profiling."""
