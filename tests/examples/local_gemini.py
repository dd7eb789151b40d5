"""A Gemini on loopback: both APIs' way to ask a question, the metadata server that Vertex AI's credentials come from, and
answers that can be told to be anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "AIza-secret-key"
TOKEN = "ya29.secret-token"  # noqa: S105  (of no account)
CHAPTER = {
    "chapter_title": "A service that greets",
    "introduction_context": "For those who have never deployed anything.",
    "what_will_build": "A service that greets by name.",
    "technologies_and_services": ["Cloud Run", "Python"],
    "how_we_did_it": ["1. gcloud run deploy hello --source ."],
    "source_code_url": "https://example.org/hello",
    "demo_url": "N/A",
    "qa_segment": [{"question": f"Why {n}?", "answer": f"Because of {n}."} for n in range(10)],
}


@dataclass
class Mood:
    """How it answers."""

    text: str = json.dumps(CHAPTER)
    status: int = 200
    body: Mapping[str, Any] | None = None
    """Instead of an answer."""
    finish: str = "STOP"
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    """No answer until the server is closed."""


@dataclass
class Visit:
    path: str
    headers: Mapping[str, str]
    body: Any

    @property
    def parts(self) -> list[dict[str, Any]]:
        return [part for content in self.body["contents"] for part in content["parts"]]

    @property
    def attached(self) -> list[dict[str, Any]]:
        """What is attached, in one spelling: the client has two."""
        files = [part["fileData"] for part in self.parts if "fileData" in part]
        return [{name.replace("_u", "U").replace("_t", "T"): value for name, value in one.items()} for one in files]

    @property
    def said(self) -> str:
        return "".join(part.get("text", "") for part in self.parts)


class LocalGemini(ThreadingHTTPServer):
    """`mood` is that of all answers; `visits` are the questions."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mood = Mood()
        self.visits: list[Visit] = []
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: LocalGemini
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.visits.append(Visit(self.path, dict(self.headers), body))
        mood = self.server.mood
        if mood.hangs:
            self.server.closing.wait()
            self.close_connection = True
            return
        candidate = {"content": {"role": "model", "parts": [{"text": mood.text}]}, "finishReason": mood.finish}
        usage = {"promptTokenCount": 500, "candidatesTokenCount": 70, "thoughtsTokenCount": 30, "totalTokenCount": 600}
        answer = {"candidates": [candidate], "usageMetadata": usage}
        self._answer(mood.status, json.dumps(answer if mood.body is None else mood.body), mood.headers)

    def do_GET(self) -> None:
        """The metadata server's answers: https://cloud.google.com/compute/docs/metadata/overview."""
        path = self.path.partition("?")[0]
        if path.endswith("/token"):
            body = json.dumps({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
        elif "/service-accounts/" in path:
            body = json.dumps({"email": "processor@films.iam", "scopes": [], "aliases": ["default"]})
        elif path.endswith("universe-domain"):
            body = "googleapis.com"
        else:
            body = "films"
        self._answer(200, body, {"Metadata-Flavor": "Google"})

    def _answer(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json" if body.startswith("{") else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class names it)
        """Say nothing."""
