"""What can be wrong with a media file or with the engines that handle it, in words for the person who gave the file.

Stages map these to what happens next: `MediaFault` is a fault of the file (no retry helps), `EngineMissing` of this
machine (somebody must install or set something), `EngineFault` of a run.
"""

from __future__ import annotations

from rushes.errors import RushesError


class MediaFault(RushesError):
    """The file itself is wrong: no retry helps."""


class NotMedia(MediaFault):
    """Its content is no audio or video that this program reads."""


class Incomplete(MediaFault):
    """It ends before its stated end, or its data is damaged."""


class NoSound(MediaFault):
    """It has no audio stream."""


class BadCaptions(MediaFault):
    """A caption file that cannot be read, or has no words in it."""


class WrongLanguage(MediaFault):
    """The model at hand does not know the language that is spoken."""

    def __init__(self, message: str, *, language: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.language = language


class EngineMissing(RushesError):
    """FFmpeg, a model or a font is not there, or is not what it should be. `remedy` says what to install or set."""


class EngineFault(RushesError):
    """An engine failed on this file: it was killed, ran out of time or memory, or reported an error."""


class TooSlow(EngineFault):
    """It did not end in the time it was given, and was killed."""
