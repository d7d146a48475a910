"""Digests of what each stage's code does: comments do not change them, and edits that matter always do."""
