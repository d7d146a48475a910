"""Users' projects: made from templates, pinned to a version of textmill, and upgraded to another."""
