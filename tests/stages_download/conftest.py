"""A web site on loopback that can be told to fail, media that FFmpeg makes, and a context to run the stages in."""

from __future__ import annotations

import asyncio
import re
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from rushes.media.ffmpeg import find_ffmpeg
from rushes.model import Job, JobId, JobStatus, Source, Trust, VideoKey
from rushes.settings import Settings
from rushes.stages.base import Options, Result, Stage
from rushes.stages.download import DOWNLOAD

BLOCK = 64 * 1024


@dataclass
class Page:
    """What is served at one path, and what shall go wrong with it. Faults are used up in their order."""

    content: bytes
    type: str
    statuses: list[int] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    """Close the connection after so many bytes of a body."""
    stalls: list[int] = field(default_factory=list)
    """Send so many bytes of a body, then nothing until the site is let go."""
    no_ranges: bool = False
    no_length: bool = False


@dataclass
class Visit:
    """One request as it came, and how many bytes of a body were sent for it."""

    path: str
    headers: Mapping[str, str]
    sent: int = 0

    @property
    def start(self) -> int:
        found = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0


class Site(ThreadingHTTPServer):
    """The site. `visits` is its log."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, Page] = {}
        self.visits: list[Visit] = []
        self.let_go = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, path: str, content: bytes | str | Path, type: str = "text/html", **faults: Any) -> str:  # noqa: A002
        """Serve something. Returns its address."""
        if isinstance(content, Path):
            content = content.read_bytes()
        self.pages[path] = Page(content.encode() if isinstance(content, str) else content, type, **faults)
        return self.address + path

    def page_of(self, *media: str, title: str = "A talk", tracks: str = "") -> str:
        """An HTML5 page's source with these media."""
        players = "".join(
            f'<video poster="/poster.jpg"><source src="{one}" type="video/mp4">{tracks}</video>' for one in media
        )
        return f"<!doctype html><html><head><title>{title}</title></head><body>{players}</body></html>"

    def visits_to(self, path: str) -> list[Visit]:
        return [visit for visit in self.visits if visit.path == path]

    def stop(self) -> None:
        self.let_go.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        self.close_connection = True
        path = self.path.partition("?")[0]
        if path.startswith("http://"):  # somebody uses this site as a proxy
            path = "/" + path.split("/", 3)[3]
        visit = Visit(path, dict(self.headers))
        self.server.visits.append(visit)
        page = self.server.pages.get(path)
        if page is None or page.statuses:
            self.refuse(page.statuses.pop(0) if page else 404, page)
        else:
            self.send(page, visit)

    def refuse(self, status: int, page: Page | None) -> None:
        self.send_response(status)
        for name, value in (page.headers if page else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, page: Page, visit: Visit) -> None:
        ranged = "Range" in visit.headers and not page.no_ranges
        whole, start = len(page.content), min(visit.start, len(page.content)) if ranged else 0
        self.send_response(206 if ranged else 200)
        self.send_header("Content-Type", page.type)
        self.send_header("Connection", "close")
        if ranged:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        if not page.no_length:
            self.send_header("Content-Length", str(whole - start))
        self.end_headers()
        cut = page.cuts.pop(0) if page.cuts else None
        stall = page.stalls.pop(0) if page.stalls else None
        self.body(page.content[start:], visit, cut, stall)

    def body(self, content: bytes, visit: Visit, cut: int | None, stall: int | None) -> None:
        limit = min(len(content), *(one for one in (cut, stall) if one is not None), len(content))
        for offset in range(0, limit, BLOCK):
            block = content[offset : min(offset + BLOCK, limit)]
            self.wfile.write(block)
            visit.sent += len(block)
        self.wfile.flush()
        if stall is not None:
            self.server.let_go.wait()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the test's output clean."""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    return find_ffmpeg(None).path


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory, ffmpeg: Path) -> Callable[..., Path]:
    """Make a media file once: `media("talk.mp4")`. The names are in `RECIPES`."""
    folder = tmp_path_factory.mktemp("media")

    def make(name: str) -> Path:
        path = folder / name
        if not path.exists():
            subprocess.run([ffmpeg, "-v", "error", "-nostdin", *RECIPES[name], path], check=True)
        return path

    return make


PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=6")
NOISE = ("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=6,noise=alls=90:allf=t")
SOUND = ("-f", "lavfi", "-i", "sine=f=440:d=6:r=16000")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "+faststart")
RECIPES: dict[str, tuple[str, ...]] = {
    "talk.mp4": (*PICTURE, *SOUND, *H264, "-c:a", "aac", "-metadata", "title=Bread at home"),
    "big.mp4": (*NOISE, *SOUND, *H264, "-crf", "18", "-c:a", "aac"),
    "mute.mp4": (*PICTURE, *H264),
    "talk.m4a": (*SOUND, "-c:a", "aac", "-b:a", "32k"),
    "talk.mp3": (*SOUND, "-c:a", "libmp3lame", "-b:a", "64k"),
    "poster.jpg": ("-f", "lavfi", "-i", "testsrc2=s=1280x720:d=1", "-frames:v", "1"),
}
VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\nFlour and water.\n\n00:02.000 --> 00:05.000\nThen you wait.\n"


@dataclass
class Desk:
    """A context for one run, which a test may look into."""

    source: Source
    scratch: Path
    settings: Settings
    options: Any = None
    title: str | None = None
    trust: Trust = Trust.LOCAL
    wanted: frozenset[str] = frozenset()
    name: str = "one job"
    reference: str | None = None
    notes: list[str] = field(default_factory=list)
    downloading: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def chosen_by(self) -> Trust:
        return self.trust

    def inputs(self, kind: str) -> list[Any]:  # noqa: ARG002  (the first stage has none)
        return []

    async def progress(self, fraction: float | None, note: str | None = None) -> None:
        self.notes.append(f"{fraction} {note}")
        if note and note.startswith("downloading"):
            self.downloading.set()

    def service(self, make: Any) -> Any:
        raise NotImplementedError

    async def run(self, stage: Stage) -> Result:
        self.scratch.mkdir(parents=True, exist_ok=True)
        if self.options is None or isinstance(self.options, dict):
            self.options: Options = stage.options.model_validate(self.options or {})
        return await stage.run(JOB, self)


JOB = Job(
    id=JobId(1),
    kind="download",
    status=JobStatus.PROCESSING,
    priority=5,
    attempts=1,
    max_attempts=3,
    payload={},
    created_at=datetime(2026, 11, 22, tzinfo=UTC),
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return Settings(home=tmp_path / "home")


@pytest.fixture
def desk(tmp_path: Path, settings: Settings) -> Callable[..., Desk]:
    """Make a context: `desk(address, wanted={"audio"}, options={…})`."""

    def make(location: str, *, collection: bool = False, wanted: Any = (), **given: Any) -> Desk:
        changed: dict[str, Any] = {
            name: given.pop(name) for name in ("cookies", "proxy", "download_rate") if name in given
        }
        if "proxy" in changed:
            changed["proxy"] = SecretStr(changed["proxy"])
        return Desk(
            source=Source(VideoKey("url:test"), location, collection),
            scratch=tmp_path / "scratch",
            settings=settings.model_copy(update=changed),
            wanted=frozenset(wanted),
            **given,
        )

    return make


@pytest.fixture(scope="session")
def captions() -> str:
    return VTT


def put_page(site: Site, media: Callable[..., Path]) -> str:
    """A page as people make them: a video, its poster, its captions. Returns its address."""
    site.put("/talk.mp4", media("talk.mp4"), "video/mp4")
    site.put("/talk.en.vtt", VTT, "text/vtt")
    site.put("/poster.jpg", media("poster.jpg"), "image/jpeg")
    track = '<track src="/talk.en.vtt" kind="subtitles" srclang="en">'
    return site.put("/page", site.page_of("/talk.mp4", title="Bread at home", tracks=track))


@pytest.fixture
def page(site: Site, media: Callable[..., Path]) -> str:
    return put_page(site, media)


@dataclass
class Fetched:
    """A run that several tests look at."""

    site: Site
    url: str
    desk: Desk
    result: Result


@pytest.fixture(scope="module")
def fetched(media: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    """The page, downloaded with all that is in it."""
    folder = tmp_path_factory.mktemp("fetched")
    site = Site()
    url = put_page(site, media)
    desk = Desk(Source(VideoKey("url:page"), url), folder / "scratch", Settings(home=folder))
    yield Fetched(site, url, desk, asyncio.run(desk.run(DOWNLOAD)))
    site.stop()
