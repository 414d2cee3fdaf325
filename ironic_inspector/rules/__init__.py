"""Introspection rules: what they may say, how they are compiled, and which of them hold for a node."""
