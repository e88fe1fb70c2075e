"""Predicates of operators_known.txt: each tells whether a disagreement is the one that the rule explains.

A predicate gets the case and both outcomes (`outputs`, or `error`), and is asked only where they disagree.
"""
