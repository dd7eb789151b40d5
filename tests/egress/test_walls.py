"""The child that fetches for strangers has no way out but the proxy, whatever code it runs."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rushes.stages.fetching import ytdlp
from tests.stages_download.conftest import Site

HERE = Path(__file__).parent


def _run(task: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, str(HERE / "walls_script.py")]
    return subprocess.run(command, input=task, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
async def outcomes(client, site: Site, media, ffmpeg: Path, tmp_path: Path) -> dict[str, str]:
    """What came of every way out that a confined process tried."""
    speaker = await client()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        task = {"proxy": speaker.url, "ffmpeg": str(ffmpeg), "folder": str(tmp_path), "media": str(media("talk.mp4")),
                "host": ["127.0.0.1", site.server_port], "socket": str(tmp_path / "socket")}  # fmt: skip
        ended = await asyncio.to_thread(_run, json.dumps(task))
    assert ended.returncode == 0, ended.stderr
    told: dict[str, str] = json.loads(ended.stdout)
    return told


async def test_there_is_one_way_out(outcomes: dict[str, str], site: Site, tmp_path: Path):
    past = "was to be reached past the egress proxy, which is the one way for items of others"
    refused = {name: outcome for name, outcome in outcomes.items() if outcome.startswith("Permanent")}
    where = f"127.0.0.1:{site.server_port}"
    kind = "it is of a kind that FFmpeg would have to fetch, which it does not do for others"
    assert refused == {
        "a host": f"Permanent: {where} {past}",
        "a host by name": f"Permanent: localhost {past}",
        "a host without waiting": f"Permanent: {where} {past}",
        "a datagram": f"Permanent: {where} {past}",
        "a socket of this machine": f"Permanent: {tmp_path}/socket {past}",
        "a web socket": f"Permanent: {where} {past}",
        "yt-dlp by another proxy": f"Permanent: {where} {past}",
        "a name": f"Permanent: example.org {past}",
        "a name, the old way": f"Permanent: example.org {past}",
        "an address's name": f"Permanent: 10.0.0.1 {past}",
        "ffmpeg from the network": f"Permanent: {kind}",
        "ffmpeg from a pipe": f"Permanent: {kind}",
    }
    assert site.visits == []


async def test_no_program_is_run_but_those_that_are_needed(outcomes: dict[str, str]):
    missing = {name for name, outcome in outcomes.items() if outcome.startswith("FileNotFoundError")}
    done = {name for name, outcome in outcomes.items() if outcome == "done"}
    assert missing == {"a shell", "a system call", "a fork", "another program", "rtmpdump", "ffmpeg without limits"}
    assert done == {"the proxy", "deno", "ffmpeg's version", "ffmpeg within limits"}


def test_every_use_that_yt_dlp_makes_of_ffmpeg_by_itself_is_within_limits():
    ffmpeg: Any = importlib.import_module("yt_dlp.postprocessor.ffmpeg")
    mending = [one for name, one in vars(ffmpeg).items() if name.startswith("FFmpegFixup") and name.endswith("PP")]
    by_itself = {one.pp_key().lower() for one in [*mending, ffmpeg.FFmpegMergerPP]}
    assert set(ytdlp.MENDING) == by_itself
