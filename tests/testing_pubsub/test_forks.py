"""Programs that are started beside a busy gRPC channel are none of gRPC's business."""

from __future__ import annotations

import os
import subprocess
import sys

STARTS = """
import subprocess, threading
import rushes.testing.pubsub
import google.cloud.pubsub_v1

with rushes.testing.pubsub.PubSubServer() as server:
    import os
    os.environ["PUBSUB_EMULATOR_HOST"] = server.address
    publisher = google.cloud.pubsub_v1.PublisherClient()
    publisher.create_topic(name="projects/p/topics/busy")
    over = threading.Event()

    def publish():
        while not over.is_set():
            publisher.publish("projects/p/topics/busy", b"x").result()

    busy = threading.Thread(target=publish)
    busy.start()
    for _ in range(40):
        # As stages start their children: something runs between fork and exec.
        subprocess.run(["true"], preexec_fn=lambda: None, check=True)
    over.set()
    busy.join()
"""


def test_grpc_does_nothing_between_fork_and_exec():
    environment = {**os.environ, "GRPC_VERBOSITY": "INFO"}
    del environment["GRPC_ENABLE_FORK_SUPPORT"]  # this process has it already
    ended = subprocess.run([sys.executable, "-c", STARTS], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "fork" not in ended.stderr


def test_the_source_says_so_before_grpc_is_imported():
    script = (
        "import os, sys, rushes.sources.pubsub; print('grpc' in sys.modules, os.environ['GRPC_ENABLE_FORK_SUPPORT'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
    ended = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "false"]
