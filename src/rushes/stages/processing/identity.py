"""Identity tokens: who we are to a processor that asks Google (OpenID Connect, `Authorization: Bearer`).

A token is for one audience and lasts an hour. One fetch serves all who wait for it, and the next comes before the last
has run out. From where is `metadata.py`'s and `key_files.py`'s.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rushes.errors import StageError, Transient

EARLY = 300.0
"""Seconds before its end in which a token is renewed."""
FRESH = 60.0
"""Seconds in which a token that is refused is not renewed: it cannot have been too old."""

Fetch = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    fetched: float
    expires: float


class Identity:
    """An identity to one audience."""

    def __init__(self, fetch: Fetch, *, now: Callable[[], float] = time.time) -> None:
        """`fetch` gives a new token, or raises `StageError`; `now` the seconds since 1970."""
        self._fetch = fetch
        self._now = now
        self._token: _Token | None = None
        self._fetching: asyncio.Task[_Token] | None = None

    async def token(self) -> str:
        """A token that is good for some minutes more. Raises: StageError, if there is none and none can be had."""
        token = self._token
        if token and self._now() < token.expires - EARLY:
            return token.text
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._renew(), name="identity token")
        try:
            # Whoever stops waiting does not stop the others.
            return (await asyncio.shield(self._fetching)).text
        except StageError:
            if token and self._now() < token.expires:
                return token.text
            raise

    def refused(self, text: str) -> bool:
        """A token was refused. Returns whether another one may be better; it is fetched when next asked for."""
        token = self._token
        if token is None or token.text != text:
            return True
        if self._now() - token.fetched < FRESH:
            return False
        self._token = None
        return True

    async def close(self) -> None:
        if self._fetching:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    async def _renew(self) -> _Token:
        text = await self._fetch()
        self._token = _Token(text, self._now(), expiry(text))
        return self._token


def expiry(token: str) -> float:
    """When a token runs out, in seconds since 1970 (RFC 7519, section 4.1.4). Raises: Transient, if it does not say."""
    try:
        payload = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        raise Transient("the identity token that was given is none: it does not say when it runs out") from None
