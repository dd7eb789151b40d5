"""The queue's statements, by name."""

from __future__ import annotations

from rushes.database.statements import statements

sql = statements("rushes.queue")
