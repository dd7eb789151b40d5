"""The demo's processor: given a talk's address it answers with a summary of what is said there, by the offline engine.

It speaks the original program's protocol: `POST {"name": address}`, and the answer's text is the result. The talks are those
of the demo's channel, as written; nothing is recorded for it.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from rushes.clock import clock
from rushes.demo.talks import Talk, read_talks
from rushes.documents import Cue, Summary, Transcript, VideoDocument
from rushes.text.offline import summarize
from rushes.text.request import Request

HOST = "127.0.0.1"
SITE = "https://talks.example.org/"
"""Where the talks are said to be. Nobody asks there."""
LARGEST = 64_000
"""Bytes of a request."""
WORDS_A_SECOND = 2.5


class TalkProcessor(ThreadingHTTPServer):
    """Answers from threads of its own. Use as a context manager."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.talks = {f"{SITE}{talk.slug}": talk for talk in read_talks()}
        self.asked: Counter[str] = Counter()
        """How often it was asked for each address."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TalkProcessor

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            address = str(json.loads(self.rfile.read(min(length, LARGEST)))["name"])
        except (ValueError, KeyError, TypeError):
            self._answer(HTTPStatus.BAD_REQUEST, 'wanted JSON: {"name": address}')
            return
        self.server.asked[address] += 1
        talk = self.server.talks.get(address)
        if talk is None:
            self._answer(HTTPStatus.NOT_FOUND, "there is no talk at that address")
        else:
            self._answer(HTTPStatus.OK, told(talk))

    def log_message(self, *_arguments: Any) -> None:
        """Who runs a demo looks at its tables."""

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def told(talk: Talk) -> str:
    """A talk's summary, in words."""
    summary = summarize(
        Request(_transcript(talk), VideoDocument(key=f"talk:{talk.slug}", title=talk.title, language="en"))
    )
    return "\n".join([summary.title, summary.overview, *_chapters(summary)])


def _transcript(talk: Talk) -> Transcript:
    """What is said, at the speed at which it would be."""
    cues: list[Cue] = []
    at = 0.0
    for passage in talk.passages:
        end = at + len(passage.split()) / WORDS_A_SECOND
        cues.append(Cue(text=passage, start=at, end=end))
        at = end
    return Transcript(
        source="captions", engine="the talk's script", language="en", duration=at, speech="some", cues=tuple(cues)
    )


def _chapters(summary: Summary) -> list[str]:
    return [f"{clock(chapter.start)} {chapter.title}" for chapter in summary.chapters]
