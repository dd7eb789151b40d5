"""`rushes.connect()`: one object for synchronous and for asynchronous programs.

With `async with` the database is opened in the running event loop. With `with`, or with the first call, it is opened in a
background thread with a loop of its own, which ends with `close()`, with the object, or with the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from rushes.errors import UsageError
from rushes.service.resources import Resources, open_resources
from rushes.service.thread import Closed, LoopThread
from rushes.settings import Settings

T = TypeVar("T")


def connect(settings: Settings | None = None, **overrides: Any) -> Connection:
    """Connect to the queue: to the database of `DATABASE_URL`, or the embedded one, which is started if need be.

    `with rushes.connect() as db:`, or `async with` in a coroutine; or `db = rushes.connect()`, and `db.close()` at the end.
    Nothing is opened before that, or before the first call.

    Args:
        settings: by default read from the environment and the configuration file.
        overrides: settings by name that win over those, such as `home="/srv/rushes"` or `database_url="postgresql://…"`.

    Raises:
        SettingsError: a setting is wrong.
    """
    if settings is None:
        return Connection(Settings.load(**overrides))
    if overrides:
        raise UsageError(f"settings and {', '.join(overrides)}: give either settings or single ones")
    return Connection(settings)


class Connection:
    """A way to the queue, for any number of `QueueService` and `Queue` objects, threads and tasks of this process."""

    def __init__(self, settings: Settings) -> None:
        """Use `rushes.connect`."""
        self.settings = settings
        self._process = os.getpid()
        self._opening = threading.Lock()
        self._resources: Resources | None = None
        self._thread: LoopThread | None = None
        self._stack = contextlib.AsyncExitStack()
        self._close_thread: weakref.finalize[..., Any] | None = None
        self._closed = False

    @property
    def url(self) -> str:
        """The database's address, with its password: for a connection of your own, to enqueue in your transactions."""
        resources = self._resources or self._open_thread()[1]
        return resources.database.url

    def open(self) -> Self:
        """Open it in a background thread, if it is not open.

        Raises:
            SchemaError, DatabaseError, UsageError: the database cannot be used, reached or started.
        """
        if self._resources is None:
            self._open_thread()
        return self

    def close(self) -> None:
        """Close it. A call that is under way elsewhere ends with `UsageError`, and a job that it runs is given back."""
        self._refuse_fork()
        if self._resources is not None and self._thread is None:
            raise UsageError(
                "this connection was opened with `async with`",
                remedy="it is closed at its end, or by `await db.aclose()`",
            )
        self._closed = True
        if self._close_thread is not None:
            self._close_thread()

    async def aclose(self) -> None:
        """Close it, from a coroutine."""
        self._refuse_fork()
        if self._thread is not None:
            await asyncio.to_thread(self.close)
            return
        self._closed = True
        await self._stack.aclose()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        self._refuse_fork()
        if self._closed:
            raise Closed
        if self._resources is None:
            self._resources = await self._stack.enter_async_context(open_resources(self.settings))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def ask(self, work: Callable[[Resources], Awaitable[T]]) -> T:
        """What some work with the resources comes to, from any event loop."""
        self._refuse_fork()
        if self._closed:
            raise Closed
        resources = self._resources
        if resources is not None and resources.loop is asyncio.get_running_loop():
            return await work(resources)
        if resources is not None and self._thread is None:
            raise UsageError("this connection was opened in another event loop", remedy="open one in each loop")
        thread = self._thread
        if thread is None or resources is None:
            thread, resources = await asyncio.to_thread(self._open_thread)
        return await thread.bridge(_as_coroutine(work, resources))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine that asks this connection."""
        try:
            thread, _ = self._open_thread()
        except BaseException:
            work.close()
            raise
        return thread.call(work)

    def _open_thread(self) -> tuple[LoopThread, Resources]:
        self._refuse_fork()
        with self._opening:
            if self._closed:
                raise Closed
            if self._thread is None or self._resources is None:
                if self._resources is not None:
                    raise UsageError(
                        "this connection was opened with `async with`", remedy="use `await rushes.Queue(db)…` there"
                    )
                thread = LoopThread(self.settings)
                self._resources = thread.open()
                self._thread = thread
                self._close_thread = weakref.finalize(self, _close, thread, self._process)
            return self._thread, self._resources

    def _refuse_fork(self) -> None:
        if os.getpid() != self._process:
            raise UsageError(
                f"this connection belongs to process {self._process}, of which this one is a fork",
                remedy="call rushes.connect() in the new process",
            )


async def _as_coroutine(work: Callable[[Resources], Awaitable[T]], resources: Resources) -> T:
    return await work(resources)


def _close(thread: LoopThread, process: int) -> None:
    """Called once: by `close`, when nobody has the connection any more, or when the program ends."""
    if os.getpid() == process:
        thread.close(exiting=not threading.main_thread().is_alive())
