"""The server as a process: `python -m rushes.testing.pubsub --port 8085`. It prints its address when it listens."""

from __future__ import annotations

import argparse
import signal
import sys

from rushes.testing.pubsub.server import PubSubServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m rushes.testing.pubsub", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="The port; by default any free one.")
    port = parser.parse_args().port
    # Blocked before any thread is made, so that they all leave it to the one that waits below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    try:
        with PubSubServer(port) as server:
            print(server.address, flush=True)  # noqa: T201  (whoever started it reads this)
            signal.sigwait({signal.SIGTERM, signal.SIGINT})
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
