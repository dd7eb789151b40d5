"""What `rushes doctor` looks at, one function each. Nothing here talks to the network or makes anything."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from rushes.cli.extras import EXTRAS, absent
from rushes.errors import RushesError

if TYPE_CHECKING:
    from rushes.database.status import Status
    from rushes.settings import Settings

GIGABYTE = 1_000_000_000
LITTLE_SPACE = 5 * GIGABYTE
NO_SPACE = GIGABYTE // 5
"""A minute of video at 1080p, and the database's next log file."""
OLD_YTDLP = 90
"""Days. YouTube changes, and yt-dlp follows about once a month."""
DENO = (2, 3)
"""The oldest that yt-dlp uses."""
KEYS = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
}


class State(StrEnum):
    FOUND = "found"
    WARNING = "warning"
    MISSING = "missing"
    """Something that `rushes run` needs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what is there, and what to do if that is not enough."""

    name: str
    state: State
    what: str
    remedy: str | None = None


def missing(name: str, error: RushesError) -> Finding:
    return Finding(name, State.MISSING, error.reason, error.remedy)


def check_python() -> Finding:
    return Finding("python", State.FOUND, f"{platform.python_version()}, {sys.executable}")


def check_ffmpeg(settings: Settings) -> Finding:
    from rushes.media.ffmpeg import find_ffmpeg

    try:
        found = find_ffmpeg(settings.ffmpeg)
    except RushesError as error:
        return missing("ffmpeg", error)
    origin = {"setting": "RUSHES_FFMPEG", "path": "on the PATH", "package": "packaged"}[found.origin]
    return Finding("ffmpeg", State.FOUND, f"{found.version}, {origin}, with H.264, AAC and subtitles: {found.path}")


def check_font() -> Finding:
    from rushes.media.fonts import packaged_font

    try:
        font = packaged_font()
    except RushesError as error:
        return missing("font", error)
    return Finding("font", State.FOUND, f"{font.family}, packaged: {font.path}")


def check_speech(settings: Settings) -> Finding:
    """The engine, and the model that the settings name: there, and unchanged since it was chosen."""
    from rushes.media.models import BASE, find_model, is_installed

    if importlib.util.find_spec("faster_whisper") is None:
        return Finding("speech", State.MISSING, "faster-whisper is not installed", "pip install 'rushes[offline]'")
    if settings.speech_model == BASE and is_installed(BASE) and not (settings.home / "models").is_dir():
        return Finding("speech", State.FOUND, f"{BASE}, to be put together from its packages when first needed")
    try:
        model = find_model(settings.speech_model, settings.home)
    except RushesError as error:
        return missing("speech", error)
    origin = "of your own" if model.english_only is None else "SHA-256 right"
    return Finding("speech", State.FOUND, f"{model.name}, {origin}: {model.folder}")


def check_narration() -> Finding:
    if importlib.util.find_spec("hibari") is None:
        remedy = "`rushes demo` and spoken scripts need it: pip install 'rushes[offline]'"
        return Finding("narration", State.WARNING, "hibari-tts is not installed", remedy)
    return Finding("narration", State.FOUND, f"hibari-tts {version('hibari-tts')}, packaged voices")


def check_ytdlp(today: date) -> Finding:
    try:
        installed = version("yt-dlp")
    except PackageNotFoundError:
        return Finding("yt-dlp", State.MISSING, "it is not installed", "pip install 'rushes[video]'")
    parts = [int(part) for part in re.findall(r"\d+", installed)[:3]]
    age = (today - date(parts[0], parts[1], parts[2])).days
    what = f"{installed}, {age} days old"
    if age > OLD_YTDLP:
        return Finding("yt-dlp", State.WARNING, what, "YouTube may have changed since: pip install --upgrade yt-dlp")
    return Finding("yt-dlp", State.FOUND, what)


def check_javascript() -> Finding:
    """Deno, where yt-dlp looks for it: beside this Python, then on the PATH."""
    path = shutil.which("deno", path=sysconfig.get_path("scripts")) or shutil.which("deno")
    if path is None:
        return Finding("javascript", State.WARNING, "no Deno, which YouTube's pages need", "pip install deno")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"deno (\d+)\.(\d+)\S*", said)
    if found is None or (int(found[1]), int(found[2])) < DENO:
        return Finding("javascript", State.WARNING, f"{path} is too old or broken", "pip install --upgrade deno")
    return Finding("javascript", State.FOUND, f"{found[0]}: {path}")


def check_model(settings: Settings) -> Finding:
    """The language model for summaries, and its key. It is not asked for anything."""
    if settings.model is None:
        what = "none: summaries are made offline, by the extractive engine"
        return Finding(
            "model", State.FOUND, what, "For a language model: RUSHES_MODEL=anthropic:…, openai:… or google:…"
        )
    if importlib.util.find_spec("pydantic_ai") is None:
        return Finding("model", State.MISSING, f"{settings.model} needs an extra", "pip install 'rushes[llm]'")
    provider = settings.model.partition(":")[0]
    if settings.model_key is not None:
        return Finding("model", State.FOUND, f"{settings.model}, key from RUSHES_MODEL_KEY")
    variables = KEYS.get(provider, ())
    given = next((name for name in variables if os.environ.get(name)), None)
    if given:
        return Finding("model", State.FOUND, f"{settings.model}, key from {given}")
    wanted = " or ".join((*variables, "RUSHES_MODEL_KEY"))
    return Finding("model", State.MISSING, f"{settings.model} has no key", f"Set {wanted}.")


def check_disk(name: str, folder: Path) -> Finding:
    there = nearest(folder)
    free = shutil.disk_usage(there).free
    what = f"{free / GIGABYTE:.1f} GB free at {folder}"
    if not os.access(there, os.W_OK):
        return Finding(
            name, State.MISSING, f"{there} is not writable", "Choose another folder, or have this one opened for you."
        )
    if free < NO_SPACE:
        return Finding(name, State.MISSING, what, "Free some space: work stops when the disk is full.")
    if free < LITTLE_SPACE:
        return Finding(name, State.WARNING, what, "A long video takes several GB while it is worked on.")
    return Finding(name, State.FOUND, what)


def check_extras() -> Iterator[Finding]:
    for extra in EXTRAS:
        if lacking := absent(extra):
            what = f"not installed ({', '.join(lacking)})"
            yield Finding(f"extra {extra}", State.WARNING, what, f"If you need it: pip install 'rushes[{extra}]'")
        else:
            yield Finding(f"extra {extra}", State.FOUND, "installed")


async def check_database(settings: Settings) -> Finding:
    """Reach it; start the embedded one for the moment, but make none."""
    from rushes.database.status import status

    try:
        return _judge(await status(settings), settings)
    except RushesError as error:
        return missing("database", error)


def _judge(found: Status, settings: Settings) -> Finding:
    if found.server_version is None:
        from rushes.database.binaries import newest_programs

        what = f"embedded PostgreSQL {newest_programs().version}, to be made in {settings.home} when first needed"
        return Finding("database", State.FOUND, what)
    what = f"{'embedded' if found.embedded else 'your own'} PostgreSQL {found.server_version}, {found.url}"
    if found.schema_version is None and not found.embedded:
        remedy = "An empty database is prepared by the first command; any other by: rushes db upgrade"
        return Finding("database", State.WARNING, f"{what}; Rushes is not installed in it", remedy)
    if (found.schema_version or 0) < found.schema_needed:
        what = f"{what}; its schema is to be brought up to version {found.schema_needed}"
        if found.embedded:
            return Finding("database", State.FOUND, what)
        return Finding("database", State.MISSING, what, "rushes db upgrade")
    if (found.schema_version or 0) > found.schema_needed:
        return Finding("database", State.MISSING, f"{what}; a newer Rushes was here", "pip install --upgrade rushes")
    return Finding("database", State.FOUND, f"{what}; schema {found.schema_version}")


def nearest(folder: Path) -> Path:
    """The folder itself, or the closest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def today() -> date:
    return datetime.now(UTC).date()
