"""A thread with an event loop, for programs that have none: a connection's resources live in it, and calls come to it.

It installs no signal handlers. A call whose caller is interrupted (Ctrl-C) or cancelled is cancelled too, and waited for, so
that a job it was running is given back.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Generic, TypeVar

from rushes.errors import UsageError
from rushes.service.resources import Resources, open_resources
from rushes.settings import Settings

T = TypeVar("T")


class Closed(UsageError):
    """The connection is closed."""

    def __init__(self) -> None:
        super().__init__("this connection is closed", remedy="rushes.connect() opens another one")


class LoopThread:
    """The thread, from `open` to `close`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: Future[Resources] = Future()
        self._calls: set[_Call[Any]] = set()
        self._main: asyncio.Task[None] | None = None
        self._ending = False
        self._exiting = False
        self._thread = threading.Thread(target=self._run, name="rushes", daemon=True)

    def open(self) -> Resources:
        """Start it. Raises what `open_database` raises."""
        self._thread.start()
        try:
            return self._opened.result()
        except BaseException:
            self.close()
            raise

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for what a coroutine comes to.

        Raises:
            UsageError: called by a stage that this thread runs: it would wait for itself.
            Closed: it was closed meanwhile.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise UsageError(
                "a synchronous call from the event loop that would have to answer it",
                remedy="in a stage use `await rushes.Queue(db)…`, or make the call in `asyncio.to_thread`",
            )
        call = self._submit(work)
        try:
            return call.answer.result()
        except Closed:
            if self._exiting and threading.current_thread().daemon:
                threading.Event().wait()  # the program ends, and this thread with it: nobody is left to be told
            raise
        except BaseException:
            if not call.answer.done():  # not what the call came to, but what met the one who waits for it
                call.cancel()
                with contextlib.suppress(Exception):
                    call.answer.result()
            raise

    async def bridge(self, work: Coroutine[Any, Any, T]) -> T:
        """The same for a caller in another event loop."""
        call = self._submit(work)
        try:
            return await asyncio.wrap_future(call.answer)
        except asyncio.CancelledError:
            call.cancel()
            await asyncio.wait([asyncio.wrap_future(call.answer)])
            raise

    def close(self, *, exiting: bool = False) -> None:
        """End the calls that are under way, then all else, and wait for it."""
        self._exiting = exiting
        self._ending = True
        if self._main is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._main.get_loop().call_soon_threadsafe(self._main.cancel)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _submit(self, work: Coroutine[Any, Any, T]) -> _Call[T]:
        call = _Call(work, self._opened.result().loop)
        self._calls.add(call)
        try:
            call.loop.call_soon_threadsafe(self._begin, call)
        except RuntimeError:  # the loop is closed
            self._calls.discard(call)
            call.refuse()
        return call

    def _begin(self, call: _Call[Any]) -> None:
        if self._ending:
            return  # refused with the others that are left
        call.begin()
        call.answer.add_done_callback(lambda _: self._calls.discard(call))

    def _run(self) -> None:
        # Past the end of the main thread a loop cannot join its helpers any more, and Python has done so by then.
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):
            asyncio.run(self._live())
        for call in list(self._calls):
            call.refuse()

    async def _live(self) -> None:
        self._main = asyncio.current_task()
        try:
            async with open_resources(self._settings) as resources:
                self._opened.set_result(resources)
                try:
                    await asyncio.Event().wait()
                finally:
                    await self._end_calls()
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)

    async def _end_calls(self) -> None:
        tasks = [call.end() for call in list(self._calls) if call.task]
        if tasks:
            await asyncio.wait(tasks)


class _Call(Generic[T]):
    """One call: a task in the loop, and an answer outside of it."""

    def __init__(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.answer: Future[T] = Future()
        self.task: asyncio.Task[T] | None = None
        self._work = work
        self._closed = False
        self.answer.set_running_or_notify_cancel()  # from here on only its task ends it

    def begin(self) -> None:
        self.task = self.loop.create_task(self._work)
        self.task.add_done_callback(self._answer)

    def cancel(self) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and the call refused
            self.loop.call_soon_threadsafe(lambda: self.task and self.task.cancel())

    def end(self) -> asyncio.Task[T]:
        """Cancel it because all ends."""
        assert self.task is not None
        self._closed = True
        self.task.cancel()
        return self.task

    def refuse(self) -> None:
        """It never began, and never will."""
        self._work.close()
        if not self.answer.done():
            self.answer.set_exception(Closed())

    def _answer(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self.answer.set_exception(Closed() if self._closed else CancelledError())
        elif error := task.exception():
            self.answer.set_exception(error)
        else:
            self.answer.set_result(task.result())
