"""What an open connection consists of. It lives in one event loop: the program's own, or that of a background thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from rushes.database import Database, open_database
from rushes.queue import Queue
from rushes.service.processing import Processing
from rushes.settings import Settings


@dataclass(frozen=True, slots=True)
class Resources:
    """An open database, and what works on it."""

    loop: asyncio.AbstractEventLoop
    database: Database
    queue: Queue
    processing: Processing


@contextlib.asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Reach the database, for as long as this lasts. Raises what `open_database` raises."""
    async with open_database(settings) as database:
        queue = Queue(database.pool, lease=settings.lease)
        async with Processing(settings, database.pool, queue) as processing:
            yield Resources(asyncio.get_running_loop(), database, queue, processing)
        await queue.doorbell.rung()
