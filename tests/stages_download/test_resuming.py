"""Broken off in the middle: whatever ended an attempt, the next one goes on where it stopped."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from rushes.errors import Transient
from rushes.stages.fetching.asking import CHILD, access_of, ask
from rushes.stages.fetching.request import FetchedMedia, FetchRequest, Progress
from rushes.stages.fetching.ytdlp import BLOCK

Requests = Callable[[str], FetchRequest]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an attempt leaves its parts for the next."""
    (tmp_path / "fetch").mkdir()
    return tmp_path / "fetch"


@pytest.fixture
async def request_for(folder: Path, desk: Any) -> AsyncIterator[Callable[[str], FetchRequest]]:
    async with access_of(desk("https://video.example/")) as access:
        yield lambda url: FetchRequest(url=url, folder=str(folder), media="picture", access=access)


async def fetch(request: FetchRequest) -> FetchedMedia:
    async def ignore(_progress: Progress) -> None:
        pass

    answer = await ask(request, ignore)
    assert answer.fetched
    assert answer.fetched.media
    return answer.fetched.media


def content(media: FetchedMedia) -> bytes:
    return Path(media.path).read_bytes()


def kept_in(folder: Path) -> int:
    (part,) = folder.glob("*.part")
    return part.stat().st_size


class Downloading(asyncio.Event):
    """Set when bytes of the media have come."""

    async def report(self, progress: Progress) -> None:
        if progress.phase == "downloading":
            self.set()


def children_of(parent: int) -> list[int]:
    """The yt-dlp children of a process, by the kernel's own list."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in found if CHILD in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")]


@pytest.fixture
def big(site: Any, media: Any) -> tuple[str, int]:
    """A page with a video of some megabytes: its address and the video's size."""
    content = media("big.mp4").read_bytes()
    site.put("/big.mp4", content, "video/mp4")
    return site.put("/page", site.page_of("/big.mp4")), len(content)


async def test_a_cut_connection_is_gone_on_with_inside_the_attempt(
    site: Any, big: tuple[str, int], request_for: Requests, folder: Path
) -> None:
    url, size = big
    site.pages["/big.mp4"].cuts = [size // 2]
    fetched = await fetch(request_for(url))
    assert content(fetched) == site.pages["/big.mp4"].content
    first, second = site.visits_to("/big.mp4")
    assert first.sent == size // 2
    assert 0 <= first.sent - second.start < BLOCK
    assert second.start + second.sent == size


async def test_a_failed_attempt_is_gone_on_with_by_the_next(
    site: Any, big: tuple[str, int], request_for: Requests, folder: Path
) -> None:
    url, size = big
    request = request_for(url)
    page = site.pages["/big.mp4"]
    page.cuts = [size // 3, 0, 0, 0]
    with pytest.raises(Transient):
        await fetch(request)
    kept = kept_in(folder)
    before = len(site.visits_to("/big.mp4"))
    fetched = await fetch(request)
    (last,) = site.visits_to("/big.mp4")[before:]
    assert last.start == kept > size // 3 - BLOCK
    assert sum(visit.sent for visit in site.visits_to("/big.mp4")) < size + BLOCK
    assert fetched.resumed
    assert content(fetched) == page.content


async def test_a_server_without_ranges_sends_it_all_again(
    site: Any, big: tuple[str, int], request_for: Requests, folder: Path
) -> None:
    url, size = big
    page = site.pages["/big.mp4"]
    page.no_ranges, page.cuts = True, [size // 2]
    fetched = await fetch(request_for(url))
    assert content(fetched) == page.content


async def test_a_child_killed_in_the_middle_is_transient_and_the_next_goes_on(
    site: Any, big: tuple[str, int], request_for: Requests, folder: Path
) -> None:
    url, size = big
    site.pages["/big.mp4"].stalls = [size // 2]
    request = request_for(url)
    downloading = Downloading()
    attempt = asyncio.create_task(ask(request, downloading.report))
    await downloading.wait()
    (child,) = children_of(os.getpid())
    os.kill(child, signal.SIGKILL)
    with pytest.raises(Transient, match=r"interrupted.*SIGKILL"):
        await attempt
    kept = kept_in(folder)
    fetched = await fetch(request)
    assert site.visits_to("/big.mp4")[-1].start == kept
    assert content(fetched) == site.pages["/big.mp4"].content


async def test_a_cancelled_fetch_leaves_no_child(
    site: Any, big: tuple[str, int], request_for: Requests, folder: Path
) -> None:
    url, size = big
    site.pages["/big.mp4"].stalls = [size // 2]
    downloading = Downloading()
    attempt = asyncio.create_task(ask(request_for(url), downloading.report))
    await downloading.wait()
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert children_of(os.getpid()) == []


PARENT = """
import asyncio, sys
from rushes.stages.fetching.asking import ask
from rushes.stages.fetching.request import FetchRequest
async def report(progress):
    print(progress.phase, flush=True)
asyncio.run(ask(FetchRequest.model_validate_json(sys.argv[1]), report))
"""


def start_parent(request: FetchRequest) -> subprocess.Popen[bytes]:
    """A process of its own that fetches; returns when bytes are coming."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, request.model_dump_json()], stdout=subprocess.PIPE)
    assert parent.stdout
    while parent.stdout.readline().strip() != b"downloading":
        assert parent.poll() is None
    return parent


def ended(handle: int) -> bool:
    """Wait for a process to end, at most 20 s."""
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        return bool(waiting.poll(20_000))
    finally:
        os.close(handle)


async def test_the_child_dies_with_its_parent(site: Any, big: tuple[str, int], request_for: Requests) -> None:
    url, size = big
    site.pages["/big.mp4"].stalls = [size // 2]
    with start_parent(request_for(url)) as parent:
        (child,) = children_of(parent.pid)
        handle = os.pidfd_open(child)
        parent.kill()
    assert ended(handle), "the child lives on"


async def test_a_child_is_told_nothing_by_its_arguments_and_gets_no_keys(
    site: Any, big: tuple[str, int], request_for: Requests, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, size = big
    site.pages["/big.mp4"].stalls = [size // 2]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another")
    downloading = Downloading()
    attempt = asyncio.create_task(ask(request_for(url), downloading.report))
    await downloading.wait()
    (child,) = children_of(os.getpid())
    arguments, environment = told(child, "cmdline"), told(child, "environ")
    site.let_go.set()
    await attempt
    assert not any(word in arguments for word in (url, str(folder)))
    assert "sk-of-another" not in environment


def told(pid: int, what: str) -> str:
    return Path(f"/proc/{pid}/{what}").read_text(encoding="utf-8")
