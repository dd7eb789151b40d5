"""What runs of stages made, found by the runs' identities without a database: a small file for each, written once.

A manifest is written last, when all it names is durable. Runs of one identity make the same, so that of two at once either
may count. Whether what it names is still there and unchanged is for the reader to check.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from rushes.model import Produced

_PRODUCED = TypeAdapter(Produced)


class Manifests:
    """Manifests below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root / "made"

    def find(self, fingerprint: str) -> Produced | None:
        """What a run of that identity made; None if there was none, or if another version wrote it in another way."""
        try:
            return _PRODUCED.validate_json(self._path(fingerprint).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def add(self, produced: Produced) -> None:
        """Write down what a run made. Raises: OSError."""
        assert produced.fingerprint, "what has no identity cannot be found again"
        path = self._path(produced.fingerprint)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        with partial.open("wb") as file:
            file.write(_PRODUCED.dump_json(produced))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def _path(self, fingerprint: str) -> Path:
        return self._root / fingerprint[:2] / f"{fingerprint}.json"
