"""From the graph to what a simulator wants, as far as simulators agree: parts of one cell model, used weights, trains.

Steps that more than one target needs. They are pure: columns in, columns out, nothing per edge or cell in Python.
"""
