"""The packaged typeface. A bare machine has none, and FFmpeg's `subtitles` filter then succeeds and draws nothing."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rushes.media.faults import EngineMissing


@dataclass(frozen=True, slots=True)
class Font:
    """A typeface: its family's name, its file, and the folder to search (`fontsdir` of FFmpeg's filter)."""

    family: str
    path: Path

    @property
    def folder(self) -> Path:
        return self.path.parent


def packaged_font() -> Font:
    """Roboto, a variable font with the axes weight and width. Raises: EngineMissing."""
    found = importlib.util.find_spec("fontpkg_roboto")
    if found is None or found.origin is None:
        raise EngineMissing("The packaged font is missing", remedy="Install it with `pip install 'rushes[video]'`.")
    path = Path(found.origin).parent / "files" / "Roboto[wdth,wght].ttf"
    if not path.is_file():
        raise EngineMissing(f"The packaged font is not at {path}", remedy="Install fontpkg-roboto 3.15.")
    return Font("Roboto", path)


@cache
def packaged_letters() -> frozenset[int]:
    """The characters that the packaged typeface has, by number: Latin, Greek and Cyrillic ones. Raises: EngineMissing."""
    from fontTools.ttLib import TTFont

    with TTFont(packaged_font().path) as font:
        return frozenset(font.getBestCmap())
