"""From files as they come to split documents: reading, cleaning, sorting, hashing, splitting, profiling."""
