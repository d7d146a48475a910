"""A first look at a person's file: how it is read, which column is what, and what they should know of their data.

`propose` reads a bounded part and gives a `dataset` section; `facts` reads all of it as the pipeline would; `told` and
`advice` say what follows.
"""

from textmill.look.finding import propose
from textmill.look.proposal import Proposal, Told, ask

__all__ = ["Proposal", "Told", "ask", "propose"]
