"""What one stage writes and another reads: a type each, which knows its file's name and who writes it.

A file that is missing, or that is not exactly what its type says, is an ArtifactError of one line.
"""
