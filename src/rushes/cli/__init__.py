"""The command line: one module per command group, each imported only when it is called."""

from rushes.cli.app import main

__all__ = ["main"]
