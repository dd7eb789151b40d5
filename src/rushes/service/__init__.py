"""The queue for Python programs: `connect()`, and its verbs, asynchronous (`Queue`) and synchronous (`QueueService`).

There is one implementation, the asynchronous one. A synchronous program gets a thread with an event loop in it, and its
calls wait for what that thread does.
"""

from rushes.service.connection import Connection, connect
from rushes.service.queue import Queue
from rushes.service.synchronous import QueueService

__all__ = ["Connection", "Queue", "QueueService", "connect"]
