"""FFmpeg: find one that can do what is needed, and run it so that it can be killed and never leaves half a file.

The order is the user's setting, one on the PATH, the packaged one: a system's FFmpeg is patched by its distribution.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from rushes.children import die_with_parent
from rushes.media.faults import EngineFault, EngineMissing, TooSlow

OLDEST = 5
NEEDED_ENCODERS = frozenset({"libx264", "aac"})
NEEDED_FILTERS = frozenset({"subtitles", "loudnorm"})
LOG_KEPT = 32 * 1024
"""Bytes of FFmpeg's log that are kept: its last words, or a filter's report."""
_EMPTY_WORDS = ("Conversion failed!", "Exiting normally", "Error opening output file", "Error opening input file")
_SPEAKER = re.compile(r"^(?:\[[^\]]* @ 0x[0-9a-f]+\] )+")

Origin = Literal["setting", "path", "package"]


@dataclass(frozen=True, slots=True)
class Ffmpeg:
    """An FFmpeg that was seen to work."""

    path: Path
    version: str
    origin: Origin


@functools.lru_cache(maxsize=8)
def find_ffmpeg(setting: Path | None = None) -> Ffmpeg:
    """Find and try an FFmpeg; the answer is kept for this process. Blocks for about 0.2 s the first time.

    Raises:
        EngineMissing: none is fit; the message says what each one lacked.
    """
    if setting is not None:
        lack = _lack(setting)
        if lack:
            raise EngineMissing(f"RUSHES_FFMPEG: {setting} {lack}", remedy="Name another FFmpeg, or unset it.")
        return Ffmpeg(setting, _version(setting) or "unknown", "setting")
    tried: list[str] = []
    for path, origin in _candidates():
        lack = _lack(path)
        if not lack:
            return Ffmpeg(path, _version(path) or "unknown", origin)
        tried.append(f"{path} {lack}")
    raise EngineMissing(
        "No FFmpeg was found" + (": " + "; ".join(tried) if tried else "."),
        remedy="Install one with `pip install 'rushes[video]'`, or set RUSHES_FFMPEG.",
    )


async def run_ffmpeg(
    ffmpeg: Path,
    arguments: Sequence[str],
    output: Path | None = None,
    *,
    progress: Callable[[float], None] | None = None,
    within: timedelta = timedelta(hours=6),
    cwd: Path | None = None,
    loglevel: str = "error",
) -> str:
    """Run FFmpeg to its end and return its log.

    `arguments` are the inputs (made by `containers.input_arguments`, or lavfi sources of our own) and their options,
    without the output's name. `output` is made beside itself under a temporary name and renamed when it is whole;
    without one, what comes out is thrown away (`-f null`), which is how filters that only measure are run.
    `progress` is called with the seconds of output made. A cancelled call kills FFmpeg at once.

    Raises:
        EngineFault: FFmpeg failed; the message is its own last words.
        TooSlow: it did not end in time.
    """
    partial = _partial(output) if output else None
    command = [str(ffmpeg), "-nostdin", "-hide_banner", "-nostats", "-loglevel", loglevel, "-progress", "pipe:1", "-y"]
    command += [*arguments, *([f"file:{partial}"] if partial else ["-f", "null", "-"])]
    try:
        log = await _run(command, progress, within, cwd)
        if output and partial:
            partial.replace(output)
    finally:
        if partial:
            partial.unlink(missing_ok=True)
    return log


async def _run(
    command: Sequence[str], progress: Callable[[float], None] | None, within: timedelta, cwd: Path | None
) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=die_with_parent,
        cwd=cwd,
    )
    try:
        async with asyncio.timeout(within.total_seconds()):
            _, log, code = await asyncio.gather(_follow(process, progress), _last_words(process), process.wait())
    except TimeoutError:
        raise TooSlow(f"FFmpeg did not end within {within.total_seconds():.0f} s and was stopped") from None
    finally:
        await _kill(process)
    if code != 0:
        raise EngineFault(f"FFmpeg ended with {code}: {_reason(log)}")
    return log


async def _follow(process: asyncio.subprocess.Process, progress: Callable[[float], None] | None) -> None:
    """Read `-progress` lines, `out_time_us=1234567` among them, to the end."""
    assert process.stdout is not None
    async for line in process.stdout:
        key, _, value = line.decode(errors="replace").strip().partition("=")
        if progress and key == "out_time_us" and value.isdigit():
            progress(int(value) / 1e6)


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    kept = bytearray()
    while chunk := await process.stderr.read(4096):
        kept += chunk
        del kept[:-LOG_KEPT]
    return kept.decode(errors="replace").strip()


async def _kill(process: asyncio.subprocess.Process) -> None:
    """End the whole group; harmless when it has ended."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _reason(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_EMPTY_WORDS)]
    return _SPEAKER.sub("", (telling or lines or ["it said nothing"])[-1])


def _partial(output: Path) -> Path:
    """A temporary name with the same ending, by which FFmpeg chooses the format."""
    return output.with_name(f"{output.stem}.part{output.suffix}")


def _candidates() -> list[tuple[Path, Origin]]:
    found: list[tuple[Path, Origin]] = []
    on_path = shutil.which("ffmpeg")
    if on_path:
        found.append((Path(on_path), "path"))
    with contextlib.suppress(ImportError, RuntimeError):
        import imageio_ffmpeg

        found.append((Path(imageio_ffmpeg.get_ffmpeg_exe()), "package"))
    return found


def _lack(path: Path) -> str | None:
    """What makes that FFmpeg unfit, in words that follow its path; None: it is fit."""
    version = _version(path)
    if version is None:
        return "does not run as an FFmpeg"
    major = re.match(r"n?(\d+)\.", version)  # a build from Git has a hash for a version, and is new enough
    if major and int(major[1]) < OLDEST:
        return f"is version {version}; {OLDEST} or later is needed"
    missing = (NEEDED_ENCODERS - _listed(path, "-encoders")) | (NEEDED_FILTERS - _listed(path, "-filters"))
    return f"lacks {', '.join(sorted(missing))}" if missing else None


def _version(path: Path) -> str | None:
    found = re.match(r"ffmpeg version (\S+)", _ask(path, "-version"))
    return found[1] if found else None


def _listed(path: Path, what: str) -> frozenset[str]:
    """The second column of `ffmpeg -encoders` and the like."""
    return frozenset(line.split()[1] for line in _ask(path, what).splitlines() if len(line.split()) > 1)


def _ask(path: Path, question: str) -> str:
    try:
        asked = subprocess.run([path, "-hide_banner", question] if question != "-version" else [path, question],
            capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False)  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.decode(errors="replace")
