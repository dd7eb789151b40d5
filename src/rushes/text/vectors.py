"""Stretches of text as TF-IDF vectors.

Embedding models were measured against this and gain nothing for chapters (docs/explanation), so the engine needs numpy
alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_MAX_VOCABULARY = 4000
_SMALL = 24


def tfidf(texts: Sequence[Sequence[str]]) -> Matrix:
    """Unit row vectors of the texts' content words, (texts, vocabulary). A word in one text alone joins nothing."""
    import numpy as np

    counts = [Counter(text) for text in texts]
    within = Counter(word for count in counts for word in count)
    least = 1 if len(texts) < _SMALL else 2
    kept = [word for word, number in within.most_common(_MAX_VOCABULARY) if number >= least]
    column = {word: index for index, word in enumerate(sorted(kept))}
    matrix = np.zeros((len(texts), max(1, len(column))))
    for row, count in enumerate(counts):
        for word, number in count.items():
            if word in column:
                rarity = math.log((1 + len(texts)) / within[word])
                matrix[row, column[word]] = (1 + math.log(number)) * rarity
    return normalised(matrix)


def normalised(matrix: Matrix) -> Matrix:
    import numpy as np

    unit: Matrix = matrix / (np.linalg.norm(matrix, axis=1, keepdims=True) + 1e-9)
    return unit
