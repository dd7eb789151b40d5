"""A module for `--import` that cannot be imported."""

raise ValueError("this module is broken")
