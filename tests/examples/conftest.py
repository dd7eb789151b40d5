"""The example processors as their users start them: a process each, under functions-framework, asked over HTTP."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.places import eventually

from .local_gemini import LocalGemini

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass
class Service:
    """A processor that runs."""

    process: subprocess.Popen[str]
    url: str
    out: Path
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=120))

    def ask(self, name: object, **headers: str) -> httpx.Response:
        return self.http.post(self.url, json={"name": name}, headers=headers)

    def logged(self) -> str:
        """All that it has written, on either stream."""
        return self.out.read_text()

    def up(self) -> bool:
        assert self.process.poll() is None, self.logged()
        try:
            return self.http.get(self.url).status_code == 200
        except httpx.TransportError:
            return False

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


Serve = Callable[..., Service]


@pytest.fixture(scope="session")
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter that runs `url_processor`: the developers' one, or (`--full`) one with what the example pins."""
    if not request.config.getoption("--full"):
        return sys.executable
    folder = tmp_path_factory.mktemp("pinned")
    venv.create(folder, with_pip=True)
    pins = EXAMPLES / "url_processor" / "requirements.txt"
    install = ["install", "-q", "--require-hashes", "--no-deps", "-r", str(pins)]
    subprocess.run([folder / "bin" / "python", "-m", "pip", *install], check=True)
    return str(folder / "bin" / "python")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start an example with these variables, and wait until it answers."""
    running: list[Service] = []

    def start(example: str, interpreter: str = sys.executable, **variables: str) -> Service:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        out = tmp_path_factory.mktemp(example) / "out.txt"
        command = [interpreter, "-m", "functions_framework", "--source", str(EXAMPLES / example / "main.py")]
        with out.open("w") as writing:
            process = subprocess.Popen(
                [*command, "--target", "process_url", "--host", "127.0.0.1", "--port", str(port)],
                env=clean_environment() | variables, stdout=writing, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        service = Service(process, f"http://127.0.0.1:{port}/", out)
        running.append(service)
        assert eventually(service.up), service.logged()
        return service

    yield start
    for service in running:
        service.http.close()
        if service.process.poll() is None:
            service.end()


def clean_environment() -> dict[str, str]:
    """Nothing of the developer's own Google settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "GEMINI_", "GCE_"))}


@pytest.fixture(scope="module")
def gemini() -> Iterator[LocalGemini]:
    server = LocalGemini()
    yield server
    server.close()


def problem(status: int, code: str, message: str, **details: Any) -> dict[str, Any]:
    """An error as Google's APIs tell it."""
    more = [details] if details else []
    return {"error": {"code": status, "status": code, "message": message, "details": more}}
