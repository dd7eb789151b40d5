"""The talks of the demo's channel, as written: one TOML file each in `talks/`, texts of our own."""

from __future__ import annotations

import hashlib
import tomllib
from datetime import date
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from rushes.media.slides import Slide


class TalkSlide(BaseModel):
    """A slide and what is said while it is shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heading: str
    points: tuple[str, ...]
    speech: str

    @field_validator("speech")
    @classmethod
    def _one_line(cls, speech: str) -> str:
        return " ".join(speech.split())


class Talk(BaseModel):
    """One talk: what is shown and said, and how its publisher treated it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    title: str
    subtitle: str
    accent: str
    published: date
    opening: str
    slides: tuple[TalkSlide, ...]
    captions: bool = False
    """The publisher offers a caption file."""
    broken_off: bool = False
    """The published file lacks its second half, as after an upload that nobody checked."""

    @field_validator("opening")
    @classmethod
    def _one_line(cls, opening: str) -> str:
        return " ".join(opening.split())

    @property
    def passages(self) -> list[str]:
        """What is said, slide by slide."""
        return [self.opening, *(slide.speech for slide in self.slides)]

    @property
    def text(self) -> str:
        return " ".join(self.passages)

    @property
    def deck(self) -> list[Slide]:
        """What is shown, slide by slide."""
        count = len(self.slides)
        return [
            Slide(self.title, subtitle=self.subtitle),
            *(
                Slide(slide.heading, slide.points, subtitle=self.title, place=f"{number} / {count}")
                for number, slide in enumerate(self.slides, 1)
            ),
        ]

    def fingerprint(self, recipe: str) -> str:
        """A short hash of everything that the recording depends on. `recipe` names how it is made."""
        return hashlib.sha256(f"{recipe}\n{self.model_dump_json()}".encode()).hexdigest()[:10]


def read_talks() -> list[Talk]:
    """All talks, oldest first."""
    folder = resources.files("rushes.demo") / "talks"
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    talks = [_read(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8")) for file in files]
    return sorted(talks, key=lambda talk: talk.published)


def _read(slug: str, text: str) -> Talk:
    fields: dict[str, Any] = tomllib.loads(text)
    return Talk(slug=slug, **fields)
