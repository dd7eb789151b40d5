"""A web server for a handful of files on loopback, with byte ranges, since players and downloaders ask for them.

What it serves is a table from paths to files or texts: nothing else on the machine can be reached through it.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Self
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
BLOCK = 256 * 1024
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".xml": "application/rss+xml; charset=utf-8",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
}

Site = Mapping[str, Path | str]
"""What is served: `/talks/tides/` → a file, or a text."""


class Server(ThreadingHTTPServer):
    """Serves `site` from threads of its own until it is closed. The table may be filled after the start."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        """Raises: OSError (the port is taken). Port 0 takes any that is free."""
        super().__init__((HOST, port), _Handler)
        self.site: Site = {}

    @classmethod
    def start(cls, preferred_port: int) -> Self:
        """Listen at the preferred port, or at a free one if somebody else is there."""
        try:
            server = cls(preferred_port)
        except OSError:
            server = cls(0)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass(frozen=True, slots=True)
class _Span:
    """The bytes from `first` up to, but without, `end`, of `total`."""

    first: int
    end: int
    total: int

    @property
    def length(self) -> int:
        return self.end - self.first


def _span(header: str | None, total: int) -> _Span | None:
    """Read a Range header (RFC 9110, section 14). None: there are no such bytes. A list of ranges counts as none."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not found or found.group(1) == found.group(2) == "":
        return _Span(0, total, total)
    first, last = found.groups()
    if not first:
        return _Span(max(0, total - int(last)), total, total) if int(last) else None
    end = min(int(last) + 1, total) if last else total
    return _Span(int(first), end, total) if int(first) < end else None


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name is the base class's)
        """Say nothing: the run that asks reports what it met."""

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        content = self.server.site.get(path)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        source, total = _open(content)
        with source:
            span = _span(self.headers.get("Range"), total)
            self._send_head(path, span, total)
            if body and span:
                self._send_bytes(source, span)

    def _send_head(self, path: str, span: _Span | None, total: int) -> None:
        if span is None:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{total}")
        elif span.length < total:
            self.send_response(HTTPStatus.PARTIAL_CONTENT)
            self.send_header("Content-Range", f"bytes {span.first}-{span.end - 1}/{total}")
        else:
            self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", TYPES[PurePosixPath(path).suffix or ".html"])
        self.send_header("Content-Length", str(span.length if span else 0))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Connection", "close")
        self.end_headers()

    def _send_bytes(self, source: BinaryIO, span: _Span) -> None:
        source.seek(span.first)
        left = span.length
        while left and (block := source.read(min(BLOCK, left))):
            self.wfile.write(block)
            left -= len(block)


def _open(content: Path | str) -> tuple[BinaryIO, int]:
    if isinstance(content, Path):
        return content.open("rb"), content.stat().st_size
    raw = content.encode()
    return BytesIO(raw), len(raw)
