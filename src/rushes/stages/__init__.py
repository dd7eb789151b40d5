"""Stages: one module per kind of work, and the registry that finds them."""
