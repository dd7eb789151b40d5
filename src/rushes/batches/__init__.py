"""Batches: intake, creation, progress, cancelling, retrying, export."""
