"""Families of models of this project: a module each, named as the family."""
