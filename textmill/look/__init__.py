"""A first look at a user's files: how to read them, which column is what, and what the user should know about the data.

`finding.propose` reads a bounded part and proposes a `dataset` section; `proposal.ask` lets the user choose.
`facts.facts` reads everything as the pipeline would; `words.lines` and `advice.advice` say what follows from it.
"""
