"""The statements about requests, by name."""

from __future__ import annotations

from rushes.database.statements import statements

sql = statements("rushes.requests")
