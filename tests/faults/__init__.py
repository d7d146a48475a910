"""Faults in the real stages, on made-up reviews: `make test-faults`.

A small project runs once, undisturbed. Then each case disturbs a stage, a run or a file, and says what was wrong
afterwards. One module for each kind of fault; `__main__` runs a seeded share of all.
"""
