"""A Redis of the benchmark's own: the one on this machine, or Debian's package unpacked into the cache, not installed.

Every write is appended to its log and synced before it is answered (`appendfsync always`): the promise that PostgreSQL's
commit makes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.queue.contestants import UnavailableError
from bench.queue.places import cache, free_port

PACKAGES = ("redis-server", "redis-tools", "libjemalloc2", "liblua5.1-0", "liblzf1", "lua-cjson", "lua-bitop")
READY_WITHIN = 10.0


@contextlib.contextmanager
def running_redis(fsync: str) -> Iterator[str]:
    """An empty server. Yields its URL. Raises: UnavailableError."""
    program, environment = _program()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-", dir=cache()) as folder:
        process = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes",
             "--appendfsync", fsync],
            env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(process, port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait()


def _program() -> tuple[str, dict[str, str]]:
    if found := shutil.which("redis-server"):
        return found, {}
    folder = cache() / "redis"
    if not (folder / "usr" / "bin" / "redis-server").exists():
        _unpack(folder)
    (libraries,) = (folder / "usr" / "lib").glob("*-linux-gnu*")
    return str(folder / "usr" / "bin" / "redis-server"), {"LD_LIBRARY_PATH": str(libraries)}


def _unpack(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="redis-", dir=cache()) as part:
        try:
            subprocess.run(["apt-get", "-q", "download", *PACKAGES], cwd=part, check=True, capture_output=True)
            for package in Path(part).glob("*.deb"):
                subprocess.run(["dpkg", "-x", str(package), f"{part}/whole"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise UnavailableError(
                "there is no redis-server on the PATH, and apt-get could not fetch Debian's"
            ) from error
        Path(part, "whole").rename(folder)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        with socket.socket() as trial:
            if not trial.connect_ex(("127.0.0.1", port)):
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise UnavailableError("redis-server does not start")
        time.sleep(0.02)
