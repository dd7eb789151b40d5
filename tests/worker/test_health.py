"""What a platform's probe is told of a worker."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from rushes.errors import SettingsError
from rushes.worker import ExitReason, Worker
from rushes.worker.health import answering_probes

from .conftest import StageMaker, until


@pytest.fixture
def port() -> int:
    """One that is free."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def ask(port: int, request: bytes = b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n") -> tuple[int, str]:
    """Send these bytes. Returns status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = (await reader.read()).decode()
    writer.close()
    return int(answer.split()[1]), answer.partition("\r\n\r\n")[2]


async def test_ready_says_why_not(port: int):
    states = iter(["starting", None, "its source cannot be reached"])
    async with answering_probes(port, lambda: next(states)):
        assert await ask(port) == (503, '{"status": "not_ready", "reason": "starting"}')
        assert await ask(port) == (200, '{"status": "ready"}')
        assert (await ask(port))[0] == 503


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /health HTTP/1.1", 200), (b"GET /health?x=1 HTTP/1.0", 200), (b"HEAD /health HTTP/1.1", 200),
        (b"GET / HTTP/1.1", 404), (b"GET /health/ready/x HTTP/1.1", 404), (b"POST /health HTTP/1.1", 405),
    ],
)  # fmt: skip
async def test_it_answers_what_it_is_for(port: int, request_line: bytes, status: int):
    async with answering_probes(port, lambda: "stopping"):
        found, body = await ask(port, request_line + b"\r\n\r\n")
    assert found == status
    assert (body == "") is request_line.startswith(b"HEAD")


async def test_nonsense_is_hung_up_on_and_keeps_nobody_else_waiting(port: int):
    async with answering_probes(port, lambda: None):
        idle = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x" * 20_000)
        assert await reader.read() == b""
        assert (await ask(port))[0] == 200
        writer.close()
        idle[1].close()


async def test_a_port_that_is_taken_is_wrong_configuration():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104  (where probes are answered)
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(
            SettingsError, match=rf"HEALTH_CHECK_PORT\): {number} cannot be used: Address already in use"
        ):
            async with answering_probes(number, lambda: None):
                pass


async def test_without_a_port_nobody_is_answered():
    async with answering_probes(None, lambda: None):
        pass


async def test_a_worker_is_ready_while_it_takes_work(stage: StageMaker, make_worker: Callable[..., Worker]):
    stage("alpha")
    worker = make_worker("alpha")
    assert worker.unready == "starting"
    running = asyncio.create_task(worker.run())

    async def ready() -> bool:
        return worker.unready is None

    await until(ready)
    worker.stop()
    assert worker.unready == "stopping"
    assert (await running).exit_reason is ExitReason.TERMINATED
    assert worker.unready == "stopping"
