"""What a person looks at: the offline page, and the figures that tracking logs."""
