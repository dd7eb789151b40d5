"""Cut a sequence of text vectors where the subject changes, by dynamic programming.

Among all ways to cut into a given number of segments it takes the one with the greatest cohesion, the sum over segments
of ‖sum of unit vectors‖² / (length + 1), plus what speaks for each cut by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rushes.text.vectors import Matrix

_IMPOSSIBLE = -1e18


def best_cuts(
    vectors: Matrix, positions: Sequence[int], segments: int, *, shortest: float, bonus: Sequence[float]
) -> list[int]:
    """Return the rows at which segments after the first begin, ascending.

    Args:
        vectors: unit row vectors, one per unit of text.
        positions: where each unit begins, and last where the text ends (words): one more than rows.
        segments: how many are wanted. Fewer come back where they do not fit.
        shortest: the least length of a segment, in the measure of `positions`.
        bonus: what speaks for a cut before each row.
    """
    import numpy as np

    value = _segment_values(vectors, np.asarray(positions, dtype=float), shortest)
    value[1:, :] += np.append(np.asarray(bonus[1:], dtype=float), 0.0)[:, None]
    best = value[0]
    choices: list[Matrix] = []
    reached = 1
    for wanted in range(2, segments + 1):
        totals = best[:, None] + value
        choice = totals.argmax(axis=0)
        best = totals[choice, np.arange(len(best))]
        if best[-1] <= _IMPOSSIBLE / 2:
            break
        choices.append(choice)
        reached = wanted
    return _trace(choices[: reached - 1], len(vectors))


def _segment_values(vectors: Matrix, positions: Matrix, shortest: float) -> Matrix:
    """`[i, j]`: the cohesion of rows i to j - 1, or impossible."""
    import numpy as np

    sums = np.vstack([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0)])
    products = sums @ sums.T
    squares = np.diag(products)
    norms = np.maximum(squares[:, None] + squares[None] - 2 * products, 0)
    row = np.arange(len(sums))
    lengths = row[None] - row[:, None]
    fits = (lengths > 0) & (positions[None] - positions[:, None] >= shortest)
    return np.where(fits, norms / (np.abs(lengths) + 1), _IMPOSSIBLE)


def _trace(choices: Sequence[Matrix], end: int) -> list[int]:
    cuts: list[int] = []
    row = end
    for choice in reversed(choices):
        row = int(choice[row])
        cuts.append(row)
    return cuts[::-1]
