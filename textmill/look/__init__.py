"""A first look at a person's file: how it is read, which column is what, and what they should know of their data.

`finding.propose` reads a bounded part and gives a `dataset` section, `proposal.ask` has a person choose;
`facts.facts` reads all of it as the pipeline would, and `words.told` and `advice.advice` say what follows.
"""
