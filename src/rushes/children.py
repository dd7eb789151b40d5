"""Child processes that can be killed for sure.

Work that blocks or burns a core runs in a child: its own process group, its task on stdin (never in arguments, which
anybody on the machine can read), messages as JSON lines on stdout. It is asked to end by SIGTERM, after the grace killed
by SIGKILL, and it dies with its parent however that one ended: its stdin is a lifeline that closes with the parent.

Two faces: `Child` in the parent; `serve` in the child, called by a module run as `python -m rushes.….something`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

LINE_LIMIT = 64 * 1024 * 1024
"""Bytes of one message: a transcript of many hours is a few megabytes."""
STDERR_KEPT = 16 * 1024
"""Bytes of a child's last words that are kept for its error message."""
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Message = dict[str, Any]


class ChildDied(Exception):
    """A child ended without having said what was asked of it."""

    def __init__(self, name: str, code: int | None, last_words: str) -> None:
        how = f"was killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with {code}"
        super().__init__(f"{name} {how}" + (f": {last_words}" if last_words else ""))
        self.code = code
        self.last_words = last_words


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends (Linux). Runs between fork and exec, or at a child's start."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A child process that talks JSON lines. Use as an async context manager: leaving it ends the process."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, grace: timedelta) -> None:
        self._process = process
        self._name = name
        self._grace = grace
        self._stderr = bytearray()
        self._drain = asyncio.create_task(self._keep_last_words(), name=f"{name} stderr")

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        name: str,
        grace: timedelta = timedelta(seconds=5),
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Start `command`. Its stdin stays open as lifeline and for messages."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=die_with_parent,
            env=None if env is None else dict(env),
            cwd=cwd,
            limit=LINE_LIMIT,
        )
        return cls(process, name, grace)

    @classmethod
    async def start_module(
        cls, module: str, *, name: str, grace: timedelta = timedelta(seconds=5), env: Mapping[str, str] | None = None
    ) -> Self:
        """Start a module of ours that calls `serve`."""
        return await cls.start([sys.executable, "-m", module], name=name, grace=grace, env=env)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def send(self, message: Mapping[str, Any]) -> None:
        """Raises: ChildDied."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise await self._death() from None

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what the child says until it closes its stdout. Lines that are no JSON objects are kept as last words."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if isinstance(message, dict):
                yield message
            else:
                self._remember(line)

    async def receive(self) -> Message:
        """The child's next message. Raises: ChildDied."""
        async for message in self.messages():
            return message
        raise await self._death()

    async def wait(self) -> int:
        return await self._process.wait()

    async def last_words(self) -> str:
        await self._process.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):  # a grandchild may hold the pipe open
                await asyncio.shield(self._drain)
        return bytes(self._stderr).decode(errors="replace").strip()

    async def stop(self) -> None:
        """Ask, wait for the grace, kill the whole group. Safe to call twice."""
        if self.running:
            self._signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(self._grace.total_seconds()):
                    await self._process.wait()
            except (TimeoutError, asyncio.CancelledError):
                self._signal(signal.SIGKILL)
                await self._process.wait()
                self._drain.cancel()
                raise_if_cancelled()
        self._signal(signal.SIGKILL)  # what the child left behind in its group
        self._drain.cancel()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _death(self) -> ChildDied:
        return ChildDied(self._name, await self._process.wait(), _last_line(await self.last_words()))

    async def _keep_last_words(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(4096):
            self._remember(chunk)

    def _remember(self, chunk: bytes) -> None:
        self._stderr += chunk
        del self._stderr[:-STDERR_KEPT]


def raise_if_cancelled() -> None:
    """Let a cancellation that was held back for cleaning up go on."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _last_line(text: str) -> str:
    return text.splitlines()[-1] if text else ""


def serve(handle: Callable[[Message, Callable[..., None]], None]) -> None:
    """In a child: call `handle(message, say)` for each message until stdin closes. `say(**fields)` answers.

    stdout belongs to the protocol, so whatever a library prints goes to stderr. When the lifeline closes while `handle` is
    at work, the process ends at once: so does one whose parent died before it could ask for its signal.
    """
    die_with_parent()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    speak = threading.Lock()

    def say(**fields: Any) -> None:
        with speak:
            out.write(json.dumps(fields) + "\n")
            out.flush()

    try:
        for message in _read_messages():
            handle(message, say)
    except Exception:  # noqa: BLE001  (told in full, and the process ends)
        traceback.print_exc()
        os._exit(1)  # the ordinary end would want the lock that the reading thread has, and abort


def _read_messages() -> Iterator[Message]:
    """Read stdin in a thread of its own, which ends the process when the parent is gone."""
    import queue

    waiting: queue.Queue[Message] = queue.Queue()

    def read() -> None:
        for line in sys.stdin.buffer:
            waiting.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, name="lifeline", daemon=True).start()
    while True:
        yield waiting.get()
