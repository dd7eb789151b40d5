"""Rushes' queue beside ten others and the bare driver: one table from one run, and whether the promised ratios hold."""
