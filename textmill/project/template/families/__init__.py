"""This project's families of models: a module each, named after the family."""
