"""Questions about labels: which ones look wrong, and how much more labels would help."""
