"""One folder of recordings for all tests of the channel: making them is the slow part, and it is what is tested."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rushes.demo import Channel, demo_channel
from rushes.demo.studio import Recording, record
from rushes.demo.talks import read_talks
from rushes.media.ffmpeg import find_ffmpeg
from rushes.settings import Settings


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    return find_ffmpeg(Settings.load().ffmpeg).path


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the recordings are kept."""
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="session")
def recordings(studio: Path, ffmpeg: Path) -> dict[str, Recording]:
    """The five talks as recorded, by their slugs."""
    return {each.talk.slug: each for each in asyncio.run(record(read_talks(), studio, ffmpeg))}


@pytest.fixture
async def channel(recordings: dict[str, Recording], studio: Path) -> AsyncIterator[Channel]:
    """The channel on some free port."""
    async with demo_channel(Settings.load(), studio, port=0) as channel:
        yield channel
