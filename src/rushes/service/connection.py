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

_IN_A_LOOP = "this connection was opened with `async with`"


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
        self._here: Resources | None = None
        """In an event loop of the program's."""
        self._there: tuple[LoopThread, Resources] | None = None
        """In a thread of ours."""
        self._stack = contextlib.AsyncExitStack()
        self._close_thread: weakref.finalize[..., Any] | None = None
        self._closed = False

    @property
    def url(self) -> str:
        """The database's address, with its password: for a connection of your own, to enqueue in your transactions."""
        resources = self._here or self._background()[1]
        return resources.database.url

    def open(self) -> Self:
        """Open it in a background thread, if it is not open.

        Raises:
            SchemaError, DatabaseError, UsageError: the database cannot be used, reached or started.
        """
        self._background()
        return self

    def close(self) -> None:
        """Close it. A call that is under way elsewhere ends with `UsageError`, and a job that it runs is given back."""
        self._refuse_fork()
        if self._here is not None and not self._closed:
            raise UsageError(_IN_A_LOOP, remedy="it is closed at its end, or by `await db.aclose()`")
        self._closed = True
        if self._close_thread is not None:
            self._close_thread()

    async def aclose(self) -> None:
        """Close it, from a coroutine."""
        self._refuse_fork()
        if self._here is None:
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
        self._refuse_unusable()
        if self._here is None and self._there is None:
            self._here = await self._stack.enter_async_context(open_resources(self.settings))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def ask(self, work: Callable[[Resources], Awaitable[T]]) -> T:
        """What some work with the resources comes to, from any event loop."""
        self._refuse_unusable()
        loop = asyncio.get_running_loop()
        if self._here is not None:
            if self._here.loop is not loop:
                raise UsageError("this connection was opened in another event loop", remedy="open one in each loop")
            return await work(self._here)
        there = self._there
        if there is None:
            there = await asyncio.to_thread(self._background)
        thread, resources = there
        if resources.loop is loop:
            return await work(resources)
        return await thread.bridge(_as_coroutine(work, resources))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine that asks this connection."""
        try:
            thread, _ = self._background()
        except BaseException:
            work.close()
            raise
        return thread.call(work)

    def _background(self) -> tuple[LoopThread, Resources]:
        """The thread and what is open in it, opened if it is not."""
        self._refuse_unusable()
        with self._opening:
            if self._here is not None:
                raise UsageError(_IN_A_LOOP, remedy="use `await rushes.Queue(db)…` there")
            if self._there is None:
                thread = LoopThread(self.settings)
                self._there = thread, thread.open()
                self._close_thread = weakref.finalize(self, _close, thread, self._process)
            return self._there

    def _refuse_unusable(self) -> None:
        self._refuse_fork()
        if self._closed:
            raise Closed

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
