"""What signals mean to a worker."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

from rushes.worker.report import ExitReason
from rushes.worker.runtime import Worker


@contextlib.contextmanager
def stopping_on_signals(worker: Worker) -> Iterator[None]:
    """SIGTERM lets running work go on for the grace; SIGINT gives it back at once. Either a second time: at once.

    SIGCONT comes after Cloud Run has moved the process to another machine, which breaks connections.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # a library's call from a thread: signals are the main program's
        return
    loop = asyncio.get_running_loop()
    actions: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: lambda: worker.stop(ExitReason.TERMINATED),
        signal.SIGINT: lambda: worker.stop(ExitReason.INTERRUPTED, grace=timedelta(0)),
        signal.SIGCONT: worker.thawed,
    }
    for number, action in actions.items():
        loop.add_signal_handler(number, action)
    try:
        yield
    finally:
        for number in actions:
            loop.remove_signal_handler(number)
