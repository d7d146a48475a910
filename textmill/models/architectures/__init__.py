"""The families' networks in torch, a module each; imported only to build one, so entries are checked without torch."""
