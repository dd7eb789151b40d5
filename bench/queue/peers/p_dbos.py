"""DBOS: workflows put into a queue by its client, many in one transaction for the bulk; a process that polls often."""

from __future__ import annotations

import logging
import os
import threading

import _tally
import sqlalchemy
from _driver import DSN, Peer, main
from dbos import DBOS, DBOSClient

OPTIONS = {"queue_name": "bench", "workflow_name": "noop", "app_version": "1"}
POLL = float(os.environ.get("BENCH_POLL", "0.02"))
LIVE = "select exists (select from dbos.workflow_status where status in ('ENQUEUED', 'PENDING', 'DELAYED'))"


class Dbos(Peer):
    chunk = 100

    def open(self) -> None:
        logging.disable(logging.WARNING)
        self.engine = sqlalchemy.create_engine(DSN.replace("postgresql://", "postgresql+psycopg://"))

    def setup(self) -> None:
        self._launch()

    def _launch(self) -> None:
        DBOS(config={
            "name": "bench", "system_database_url": DSN, "application_version": "1", "executor_id": str(os.getpid()),
            "log_level": "ERROR",
        })  # fmt: skip

        @DBOS.workflow(name="noop")
        def noop(sent: float) -> None:
            _tally.started(sent)

        DBOS.launch()
        DBOS.register_queue("bench", polling_interval_sec=POLL)

    @property
    def client(self) -> DBOSClient:
        if not hasattr(self, "_client"):
            self._client = DBOSClient(system_database_url=DSN, application_name="bench")
        return self._client

    def add(self, count: int) -> None:
        client = self.client
        with self.engine.begin() as connection:
            for _ in range(count):
                client.enqueue_in_transaction(connection, OPTIONS, 0.0)

    def send(self, sent: float) -> None:
        self.client.enqueue(OPTIONS, sent)

    def settled(self) -> bool:
        with self.engine.connect() as connection:
            return not connection.execute(sqlalchemy.text(LIVE)).scalar()

    def work(self) -> None:
        self._launch()
        threading.Event().wait()


main(Dbos())
