"""What reviewers need: the page with its commit, and what changed since a commit, in markdown."""
