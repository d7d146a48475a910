"""What the code of a stage means, as digests: a comment changes none of them, an edit that matters is never missed."""
