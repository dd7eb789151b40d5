"""A Pub/Sub server on this machine, for tests: real clients drive it over gRPC through `PUBSUB_EMULATOR_HOST`.

It hands out, puts off, redelivers, dead-letters, orders and refuses as the service does, as far as that is documented or was
seen. In a test:

    with PubSubServer() as server:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", server.address)

As a process: `python -m rushes.testing.pubsub --port 8085`. Push, exports, snapshots, schemas and transforms are refused.
"""

import rushes.forks  # noqa: F401  (before gRPC)
from rushes.testing.pubsub.messages import Message
from rushes.testing.pubsub.server import Inspection, Out, PubSubServer
from rushes.testing.pubsub.subscription import Record

__all__ = ["Inspection", "Message", "Out", "PubSubServer", "Record"]
