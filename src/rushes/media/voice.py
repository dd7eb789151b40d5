"""The voice that a worker keeps: a narrator that starts with the first text and is started anew when it was killed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rushes.media.narration import Narration, Narrator, Progress
from rushes.settings import Settings


class Voice:
    """Reads one text at a time. A worker keeps one (`context.service(Voice)`); nothing starts before the first text."""

    def __init__(self, _settings: Settings) -> None:
        self._turn = asyncio.Lock()
        self._narrator: Narrator | None = None

    async def narrate(self, passages: Sequence[str], path: Path, progress: Progress | None = None) -> Narration:
        """Read `passages` aloud into the WAV file `path`; `progress` is told how many are spoken.

        A cancelled call kills the narrator.

        Raises:
            EngineMissing: there is no narrator.
            EngineFault: it died, or a passage holds nothing that can be spoken.
        """
        async with self._turn:
            narrator, self._narrator = self._narrator or await Narrator.start(), None
            try:
                narration = await narrator.narrate(passages, path, progress)
            except BaseException:
                await narrator.close()  # dead or not: the next text gets a sound one
                raise
            self._narrator = narrator
        return narration

    async def close(self) -> None:
        """End the narrator."""
        narrator, self._narrator = self._narrator, None
        if narrator is not None:
            await narrator.close()
