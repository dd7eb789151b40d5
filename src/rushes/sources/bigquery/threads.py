"""Blocking calls beside the loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a thread of its own, which does not hold up the end of the process if it hangs.

    (A pool's threads are waited for at exit.)
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(act: Callable[[Any], None], value: Any) -> None:
        if not future.done():  # who asked may have stopped waiting
            act(value)

    def work() -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile
            try:
                value = call()
            except Exception as error:  # noqa: BLE001  (it comes out where the call is awaited)
                loop.call_soon_threadsafe(tell, future.set_exception, error)
            else:
                loop.call_soon_threadsafe(tell, future.set_result, value)

    threading.Thread(target=work, name="bigquery", daemon=True).start()
    return await future
