"""The queue: enqueue, claim, settle, extend, release, retry, pause, statistics. One SQL statement a file, in `sql/`."""

from rushes.queue.jobs import Claimed, NewJob
from rushes.queue.queue import Queue
from rushes.queue.settlement import Settled

__all__ = ["Claimed", "NewJob", "Queue", "Settled"]
