"""The lines of the table, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, by which method, on what, and of how many."""

    measure: str
    method: str
    corpus: str
    value: float
    count: int
    unit: str = ""

    @property
    def shown(self) -> str:
        return f"{self.value:.1f} %" if self.unit == "%" else f"{self.value:.3f} {self.unit}".rstrip()


def table(rows: Sequence[Row]) -> str:
    """All rows in columns; a measure is named once."""
    lines = [("measure", "method", "on", "value", "of")]
    named = ""
    for row in rows:
        lines.append((row.measure if row.measure != named else "", row.method, row.corpus, row.shown, str(row.count)))
        named = row.measure
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
