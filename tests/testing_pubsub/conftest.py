"""Our server, and Google's emulator where it is, driven by the real clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rushes.testing.pubsub import PubSubServer
from tests.pubsub import Clients, google


@pytest.fixture(scope="module")
def google_address() -> Iterator[str]:
    with google() as address:
        yield address


@pytest.fixture
def server() -> Iterator[PubSubServer]:
    with PubSubServer() as running:
        yield running


@pytest.fixture
def own(server: PubSubServer) -> Iterator[Clients]:
    """Clients at our server."""
    clients = Clients(server.address)
    yield clients
    clients.close()


@pytest.fixture(params=["ours", "google's"])
def either(request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Clients at our server, and at Google's."""
    if request.param == "ours":
        yield request.getfixturevalue("own")
        return
    clients = Clients(request.getfixturevalue("google_address"))
    yield clients
    clients.close()
