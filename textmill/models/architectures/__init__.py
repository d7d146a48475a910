"""The families' networks, in torch: a module each, imported when one is built, so that an entry is checked without."""
