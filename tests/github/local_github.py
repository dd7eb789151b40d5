"""A GitHub on loopback with the calls that are used, which answers as the real one does, and can be told to fail."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "github_pat_11AAAAAAA0secretsecret"  # noqa: S105  (of no account)
PAGE = 30


@dataclass
class Flow:
    """A workflow of the repository `octo/videos`."""

    inputs: frozenset[str] = frozenset({"rushes_job", "quality"})
    dispatchable: bool = True
    run_name: str = "rushes job {rushes_job}"


@dataclass
class Fault:
    """What one request gets instead of its answer, or (`after`) in spite of having been done."""

    status: int = 0
    """0: the connection is cut."""
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False
    on: str = ""
    """A part of the path that it waits for."""


@dataclass
class Visit:
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class LocalGitHub(ThreadingHTTPServer):
    """`runs` are newest first; a new one shows up in lists after `lists_until_shown` lists."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.flows = {"render.yml": Flow()}
        self.runs: list[dict[str, Any]] = []
        self.hidden: dict[int, int] = {}
        self.faults: list[Fault] = []
        self.visits: list[Visit] = []
        self.tells_run = True
        self.knows_run_details = True
        self.lists_until_shown = 0
        self.page_size: int | None = None
        self.ends_at_once: str | None = None
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def dispatches(self) -> list[Any]:
        return [visit.body for visit in self.visits if visit.method == "POST"]

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def add_run(self, title: str, **more: Any) -> dict[str, Any]:
        number = 30433642 + len(self.runs)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        run = {
            "id": number, "name": "render", "display_title": title, "event": "workflow_dispatch", "status": "queued",
            "conclusion": None, "run_attempt": 1, "created_at": now, "updated_at": now, "head_branch": "main",
            "html_url": f"{self.url}/octo/videos/actions/runs/{number}", **more,
        }  # fmt: skip
        self.runs.insert(0, run)
        self.hidden[number] = self.lists_until_shown
        return run

    def end(self, conclusion: str, run: dict[str, Any] | None = None) -> None:
        (run or self.runs[0]).update(status="completed", conclusion=conclusion)


class _Handler(BaseHTTPRequestHandler):
    server: LocalGitHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            said = json.loads(body) if body else None
            self.server.visits.append(Visit(method, self.path, dict(self.headers), said))
            fault = next((one for one in self.server.faults if one.on in self.path), None)
            if fault:
                self.server.faults.remove(fault)
            status, answer, headers = (0, {}, {}) if fault and not fault.after else self._answer(method, said)
        if fault:
            status, answer, headers = fault.status, dict(fault.body), dict(fault.headers)
        if status == 0:
            self.close_connection = True
            return
        self._send(status, answer, headers)

    def _send(self, status: int, answer: Any, headers: Mapping[str, str]) -> None:
        content = b"" if status in (204, 304) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("X-RateLimit-Limit", "5000")
        for name, value in ({"X-RateLimit-Remaining": "4999"} | dict(headers)).items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, method: str, said: Any) -> tuple[int, Any, dict[str, str]]:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials", "status": "401"}, {}
        parts = urlsplit(self.path)
        if found := re.fullmatch(r"/repos/octo/videos/actions/workflows/([^/]+)/(dispatches|runs)", parts.path):
            if found[1] not in self.server.flows:
                return 404, {"message": "Not Found", "status": "404"}, {}
            if method == "POST":
                return self._dispatch(self.server.flows[found[1]], said)
            return self._list({name: values[0] for name, values in parse_qs(parts.query).items()})
        if found := re.fullmatch(r"/repos/octo/videos/actions/runs/(\d+)", parts.path):
            return self._one(int(found[1]))
        return 404, {"message": "Not Found", "status": "404"}, {}

    def _dispatch(self, flow: Flow, said: Any) -> tuple[int, Any, dict[str, str]]:
        details = said.pop("return_run_details", None)
        if details is not None and not self.server.knows_run_details:
            return 400, {"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.'}, {}
        if said["ref"] != "main":
            return 422, {"message": f"No ref found for: {said['ref']}"}, {}
        if not flow.dispatchable:
            return 422, {"message": "Workflow does not have 'workflow_dispatch' trigger"}, {}
        if unknown := sorted(set(said["inputs"]) - flow.inputs):
            return 422, {"message": f"Unexpected inputs provided: {json.dumps(unknown)}"}, {}
        run = self.server.add_run(flow.run_name.format(**said["inputs"]))
        if self.server.ends_at_once:
            self.server.end(self.server.ends_at_once, run)
        if not details or not self.server.tells_run:
            return 204, None, {}
        url = f"{self.server.url}/repos/octo/videos/actions/runs/{run['id']}"
        return 200, {"workflow_run_id": run["id"], "run_url": url, "html_url": run["html_url"]}, {}

    def _list(self, asked: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        since = asked.get("created", ">=").removeprefix(">=")
        shown = [
            run for run in self.server.runs
            if self.server.hidden[run["id"]] <= 0 and run["created_at"] >= since and run["event"] == asked.get("event")
        ]  # fmt: skip
        for number in self.server.hidden:
            self.server.hidden[number] -= 1
        size = self.server.page_size or int(asked.get("per_page", PAGE))
        page = int(asked.get("page", 1))
        headers = {}
        if page * size < len(shown):
            following = f"{self.server.url}{urlsplit(self.path).path}?event={asked['event']}&page={page + 1}"
            headers["Link"] = f'<{following}>; rel="next", <{following}>; rel="last"'
        return 200, {"total_count": len(shown), "workflow_runs": shown[(page - 1) * size : page * size]}, headers

    def _one(self, number: int) -> tuple[int, Any, dict[str, str]]:
        run = next((run for run in self.server.runs if run["id"] == number), None)
        if run is None:
            return 404, {"message": "Not Found", "status": "404"}, {}
        etag = f'W/"{run["status"]}-{run["conclusion"]}-{run["run_attempt"]}"'
        if self.headers.get("If-None-Match") == etag:
            return 304, None, {"ETag": etag}
        return 200, run, {"ETag": etag}
