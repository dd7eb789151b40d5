"""A confined process that tries every way out, and says as JSON what came of each. Its task comes on stdin."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from rushes.stages.fetching.request import Access
from rushes.stages.fetching.walls import confine

given = json.load(sys.stdin)
confine(Access(proxy=given["proxy"], confined=True, ffmpeg=given["ffmpeg"], cache=given["folder"]))
HOST, PORT = given["host"]
SAFE = ["-protocol_whitelist", "file,pipe"]


def tcp(host: str, port: int) -> None:
    with socket.create_connection((host, port), timeout=5):
        pass


def udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.sendto(b"x", (HOST, PORT))


def unix() -> None:
    with socket.socket(socket.AF_UNIX) as calling:
        calling.connect(given["socket"])


def without_waiting() -> None:
    with socket.socket() as calling:
        calling.connect_ex((HOST, PORT))


def websocket() -> None:
    from websockets.sync.client import connect

    with connect(f"ws://{HOST}:{PORT}/", proxy=None):
        pass


def another_proxy() -> None:
    from rushes.stages.fetching.confined import ConfinedYoutubeDL

    ConfinedYoutubeDL({"proxy": f"http://{HOST}:{PORT}", "quiet": True}).urlopen("http://example.org/")


def ffmpeg(*arguments: str) -> None:
    subprocess.run([given["ffmpeg"], "-v", "error", *arguments], check=True, capture_output=True)


WAYS: dict[str, Callable[[], Any]] = {
    "the proxy": lambda: tcp("127.0.0.1", int(given["proxy"].rpartition(":")[2])),
    "a host": lambda: tcp(HOST, PORT),
    "a host by name": lambda: tcp("localhost", PORT),
    "a host without waiting": without_waiting,
    "a datagram": udp,
    "a socket of this machine": unix,
    "a web socket": websocket,
    "yt-dlp by another proxy": another_proxy,
    "a name": lambda: socket.getaddrinfo("example.org", 443),
    "a name, the old way": lambda: socket.gethostbyname("example.org"),
    "an address's name": lambda: socket.gethostbyaddr("10.0.0.1"),
    "a shell": lambda: subprocess.run(["sh", "-c", "true"], check=True),
    "a system call": lambda: os.system("true"),  # noqa: S605
    "a fork": os.fork,
    "another program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
    "rtmpdump": lambda: subprocess.run(["rtmpdump", "-h"], check=True),
    "deno": lambda: subprocess.run(["deno", "--version"], check=True, capture_output=True),
    "ffmpeg's version": lambda: ffmpeg("-version"),
    "ffmpeg from the network": lambda: ffmpeg(*SAFE, "-i", f"http://{HOST}:{PORT}/", "-f", "null", "-"),
    "ffmpeg from a pipe": lambda: ffmpeg(*SAFE, "-i", "-", "-f", "null", "-"),
    "ffmpeg without limits": lambda: ffmpeg("-i", f"file:{given['media']}", "-f", "null", "-"),
    "ffmpeg within limits": lambda: ffmpeg(*SAFE, "-i", f"file:{given['media']}", "-f", "null", "-"),
}


def outcome(way: Callable[[], Any]) -> str:
    try:
        way()
    except Exception as error:  # noqa: BLE001  (it is what the test looks at)
        return f"{type(error).__name__}: {error}"
    return "done"


json.dump({name: outcome(way) for name, way in WAYS.items()}, sys.stdout)
