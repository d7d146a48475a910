"""Projects of users' own: made from templates, pinned to one textmill, moved to another."""
