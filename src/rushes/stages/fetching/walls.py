"""The walls around the child that fetches for strangers: from a point on it connects to the egress proxy alone.

The proxy is the way out, and these walls are for what does not take it: an extractor with a socket of its own, a library
that looks up a name, FFmpeg told to fetch. They are audit hooks, so they hold whichever code calls, but for code in C
that asks the system itself; and a process keeps them as long as it lives.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from rushes.errors import Permanent
from rushes.media.containers import INPUT_OPTIONS
from rushes.stages.fetching.request import Access

_RUNTIMES = frozenset({"deno"})
"""JavaScript runtimes that yt-dlp may start. It gives them no right to the network or to files."""


def confine(access: Access) -> None:
    """Put up the walls."""
    assert access.proxy is not None
    assert access.ffmpeg is not None
    proxy = urlsplit(access.proxy)
    walls = _Walls((str(proxy.hostname), int(proxy.port or 0)), Path(access.ffmpeg).absolute())
    checks: dict[str, Callable[..., None]] = {
        "socket.connect": walls.connect,
        "socket.sendto": walls.connect,
        "socket.sendmsg": walls.connect,
        "socket.getaddrinfo": walls.look_up,
        "socket.gethostbyname": walls.look_up,
        "socket.gethostbyaddr": walls.look_up,
        "socket.getnameinfo": walls.look_up,
        "subprocess.Popen": walls.start,
        "os.posix_spawn": walls.start,  # by which subprocess starts them from Python 3.13 on
        **dict.fromkeys(("os.exec", "os.spawn", "os.system", "os.fork", "os.forkpty"), walls.fork),
    }

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        check = checks.get(event)
        if check:
            check(*arguments)

    sys.addaudithook(audit)


class _Walls:
    def __init__(self, proxy: tuple[str, int], ffmpeg: Path) -> None:
        self._proxy = proxy
        self._ffmpeg = ffmpeg

    def connect(self, _socket: Any, address: Any) -> None:
        if address is not None and address != self._proxy:
            _refuse(f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address))

    def look_up(self, host: Any, *_beside: Any) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if name != self._proxy[0]:
            _refuse(name)

    def start(self, program: Any, arguments: Sequence[Any], *_beside: Any) -> None:
        path = Path(os.fsdecode(program)).absolute()
        if path.name in _RUNTIMES:
            return
        if path.parent != self._ffmpeg.parent or not path.name.startswith(("ffmpeg", "ffprobe")):
            raise _missing(path)
        words = [os.fsdecode(word) for word in arguments]
        inputs = [value for word, value in pairwise(words) if word == "-i"]
        if not all(value.startswith("file:") for value in inputs):
            raise Permanent("it is of a kind that FFmpeg would have to fetch, which it does not do for others")
        opened = [word for word in words if word.startswith("file:")]
        if opened and words.count(INPUT_OPTIONS[0]) < max(len(inputs), 1):
            raise _missing(path)  # yt-dlp's own look into a file, without our limits: it does without

    def fork(self, *_arguments: Any) -> None:
        raise _missing(Path("a process"))


def _missing(path: Path) -> FileNotFoundError:
    """What a program amounts to that may not be run here."""
    return FileNotFoundError(errno.ENOENT, "not run for others", str(path))


def _refuse(what: str) -> NoReturn:
    raise Permanent(f"{what} was to be reached past the egress proxy, which is the one way for items of others")
