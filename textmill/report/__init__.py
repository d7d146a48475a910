"""The results as people look at them: the offline page, the terminal's table, and figures."""
