"""A processor, as the options describe it: asked for one answer at a time, by thousands at once.

What is retried here is what no item should notice: a connection that was closed while it lay idle, a token that had
become too old. All else is for whoever asked to try again, with its attempts counted.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from rushes.errors import NeedsInput, Permanent, StageError
from rushes.keys.addresses import BadAddress, parse
from rushes.masking import masked
from rushes.notations.patterns import Patterns
from rushes.stages.processing import answers, faults
from rushes.stages.processing.answers import Answer
from rushes.stages.processing.breaker import Breaker
from rushes.stages.processing.deadlines import Deadlines
from rushes.stages.processing.identity import Identity
from rushes.stages.processing.pool import Generation, Pool

HEADERS = {
    "Accept": "*/*",
    # Compressed, a small answer could be a huge one.
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    "User-Agent": "rushes",
}
MOST_REDIRECTS = 5
SHORTLY = 1.0
"""Seconds after its sending in which a request learns that its connection had been closed: that takes a round trip."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_BEGINNING = 64_000
"""Bytes that are read of an answer other than 2xx, or of one that is too long."""
_IN_ONE_PIECE = 1_000_000
"""Bytes of a request that are handed over at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a processor, checked."""

    url: URL
    origin: str
    """Scheme, host and port."""
    host: str
    """As it is told."""
    timeout: timedelta
    largest: int
    """Bytes of an answer."""
    failures: Patterns

    @property
    def may_have_token(self) -> bool:
        """Whether a token may be sent there: encrypted, or on this machine."""
        return self.url.scheme == "https" or _is_loopback(self.url.host or "")


class _Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


class Processor:
    """One processor."""

    def __init__(
        self,
        wanted: Wanted,
        pool: Pool,
        breaker: Breaker,
        *,
        headers: Mapping[str, str],
        identity: Identity | None,
        now: Callable[[], float],
    ) -> None:
        """`headers` are the user's own, with secrets; `identity` is who we are to it; `now` is monotonic, in seconds."""
        self._wanted = wanted
        self._pool = pool
        self._breaker = breaker
        own = {name.lower() for name in headers}
        self._headers = {**{name: value for name, value in HEADERS.items() if name.lower() not in own}, **headers}
        self._secrets = tuple(headers.values())
        self._identity = identity
        self._now = now
        self._deadlines = Deadlines(wanted.timeout.total_seconds())

    async def ask(self, body: bytes, key: str) -> Answer:
        """Post a body under an idempotency key.

        Raises: StageError, as `faults` and `answers` say.
        """
        began = self._now()
        if wait := self._breaker.wait(began):
            raise faults.resting(self._wanted.host, wait)
        token = await self._identity.token() if self._identity else None
        try:
            reply = await self._reply(body, key, token)
            if reply.status in _REFUSED and token and self._identity and self._identity.refused(token):
                token = await self._identity.token()
                reply = await self._reply(body, key, token)
            answer = self._understood(reply, token)
        except faults.HostFault as fault:
            self._breaker.failed(fault.strikes, began=began, now=self._now())
            raise
        except faults.AskedForRest as asked:
            self._breaker.asked_for_rest(asked.rest.total_seconds(), now=self._now())
            raise
        except NeedsInput:
            raise  # which may be about this machine
        except StageError:
            self._breaker.succeeded()  # it is there, and says something of this item
            raise
        self._breaker.succeeded()
        return answer

    def _understood(self, reply: _Reply, token: str | None) -> Answer:
        wanted = self._wanted
        secrets = (*self._secrets, token) if token else self._secrets
        if _is_good(reply.status):
            if not reply.whole:
                raise Permanent(f"{wanted.host} answered with more than {wanted.largest:,} bytes")
            content_type = reply.headers.get("Content-Type", "")
            return answers.read(reply.body, content_type, wanted.host, wanted.failures, secrets)
        said = faults.beginning(reply.body.decode(errors="replace"), secrets)
        if reply.status in _REFUSED:
            raise faults.refused(reply.status, wanted.host, said, with_token=token is not None)
        raise faults.of_status(reply.status, reply.headers, wanted.host, said)

    async def _reply(self, body: bytes, key: str, token: str | None) -> _Reply:
        headers = {**self._headers, "Idempotency-Key": key}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        generation = self._pool.enter()
        try:
            return await self._deadlines.within(self._followed(generation, headers, body))
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            fault = faults.broken(error, self._wanted.host)
            if fault is None and isinstance(error, TimeoutError):
                fault = faults.too_slow(self._wanted.host, self._wanted.timeout)
            if fault is None:
                raise
            raise fault from error
        finally:
            self._pool.leave(generation)

    async def _followed(self, generation: Generation, headers: Mapping[str, str], body: bytes) -> _Reply:
        """Post, and follow redirects, which must not lead to another origin."""
        method, url = "POST", self._wanted.url
        for _ in range(MOST_REDIRECTS + 1):
            began = self._now()
            try:
                reply = await self._sent(generation, method, url, headers, body)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                is_new = isinstance(error, aiohttp.ClientConnectorError) or generation.is_new_to_me()
                if is_new or self._now() - began > SHORTLY:
                    raise
                # The connection was being closed for lying idle when this came. Nothing was answered; and if it was heard
                # nevertheless, its key says so. What breaks later has been at work: that is an attempt, and is counted.
                reply = await self._sent(generation, method, url, headers, body)
            if reply.status not in _REDIRECTS or "Location" not in reply.headers:
                return reply
            url = self._led(url, reply.headers["Location"])
            if reply.status == HTTPStatus.SEE_OTHER:
                method, body = "GET", b""
        raise Permanent(f"{self._wanted.host} redirects for ever, at last to {masked(str(url))}")

    def _led(self, url: URL, location: str) -> URL:
        """Where a redirect leads. Raises: Permanent, if that is elsewhere."""
        target = urljoin(str(url), location)
        with contextlib.suppress(BadAddress, ValueError):
            if parse(target).origin == self._wanted.origin:
                return URL(target)
        raise Permanent(
            f"{self._wanted.host} redirects to another service: {masked(target)[:500]}",
            remedy="if that is the one that is meant, name it in RUSHES_PROCESSOR_URL",
        )

    async def _sent(
        self, generation: Generation, method: str, url: URL, headers: Mapping[str, str], body: bytes
    ) -> _Reply:
        data = body if len(body) <= _IN_ONE_PIECE else io.BytesIO(body)
        async with generation.session.request(
            method, url, data=data or None, headers=headers, allow_redirects=False
        ) as response:
            status = response.status
            largest = self._wanted.largest if _is_good(status) else _BEGINNING
            try:
                content, whole = await _read(response, largest)
            except (aiohttp.ClientError, OSError) as error:
                # However it broke: an answer had begun, so that nothing may be asked again on the quiet.
                raise aiohttp.ClientPayloadError(str(error)) from error
            if not whole:
                response.close()  # what else comes is not waited for
            return _Reply(status, response.headers, content, whole)


def _is_good(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004  (RFC 9110, section 15.3)


async def _read(response: aiohttp.ClientResponse, largest: int) -> tuple[bytes, bool]:
    """The body, or of a larger one the beginning, and whether that is all."""
    length = response.content_length
    if length is not None and "Content-Encoding" not in response.headers:
        if length <= largest:
            return await response.read(), True
        largest = min(largest, _BEGINNING)
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > largest:
            return b"".join(parts)[:largest], False
    return b"".join(parts), True


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
