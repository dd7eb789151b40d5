"""What later stages ask of a fetch, as two questions: which media, and may captions stand in for it?"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rushes.stages.fetching.request import Media


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a fetch is for."""

    media: Media
    unless_captions: bool = False
    """No media where captions in a fitting language came with the video."""
    sound_needed: bool = False
    """Without sound the video is of no use."""
    picture_needed: bool = False

    @classmethod
    def of(cls, wanted: AbstractSet[str]) -> Wanted:
        """From the words of `Context.wanted`; none at all means sound and picture, as far as there are any."""
        if not wanted:
            return cls("picture")
        if "picture" in wanted:
            return cls("picture", sound_needed=bool(wanted & {"audio", "captions_or_audio"}), picture_needed=True)
        if "audio" in wanted:
            return cls("audio", sound_needed=True)
        if "captions_or_audio" in wanted:
            return cls("audio", unless_captions=True, sound_needed=True)
        return cls("none")
