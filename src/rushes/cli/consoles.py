"""The two consoles, and what they do when nobody reads any more."""

from __future__ import annotations

import os
import sys

from rich.console import Console

UNBOUNDED = 2000
"""Columns where there is no terminal: a table's rows stay lines, for `grep` and `cut`."""


class Results(Console):
    """stdout. Whoever closed it has seen enough: that ends the command."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Words(Console):
    """stderr. Work goes on without a listener, in silence."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        silence(sys.stderr.fileno())


def silence(descriptor: int) -> None:
    """Let whatever is still written there vanish."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
