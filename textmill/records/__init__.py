"""The files that one stage writes and another reads: a type for each, which knows its file name and its stage.

If a file is missing or does not match its type, reading it raises an ArtifactError of one line.
"""
