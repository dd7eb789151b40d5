"""What a worker keeps of processors between jobs: connections, identities, and how each host is doing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from rushes.errors import NeedsInput, Permanent, Scope
from rushes.model import Trust
from rushes.notations import references
from rushes.settings import Settings
from rushes.settings.processor import Identity as Kind
from rushes.stages.processing import key_files, metadata
from rushes.stages.processing.breaker import Breaker
from rushes.stages.processing.identity import Fetch, Identity
from rushes.stages.processing.pool import Pool
from rushes.stages.processing.processor import Processor, Wanted

OPERATORS = ("url", "headers", "identity", "audience", "timeout", "largest")
"""Options that only the operator may choose: anything else could send this machine's secrets where a stranger wants."""
KEPT = 256
"""Processors that are remembered: more than one only where items have options of their own."""


class Asked(Protocol):
    """The stage's options, as far as they say whom to ask."""

    @property
    def wanted(self) -> Wanted: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def identity(self) -> Kind: ...

    @property
    def audience(self) -> str | None: ...


@dataclass(slots=True)
class _Known:
    options: Asked
    own_choice: str | None
    processor: Processor | None = None


class Processors:
    """All that a worker asks. Made once per worker."""

    def __init__(
        self,
        settings: Settings,
        *,
        environment: Mapping[str, str] = os.environ,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._now = now
        self._pool = Pool()
        self._breakers: dict[str, Breaker] = {}
        self._identities: dict[str, Identity] = {}
        self._known: dict[int, _Known] = {}

    def get(self, options: Asked, chosen_by: Trust) -> Processor:
        """The processor that these options describe.

        Raises:
            Permanent: a stranger chose them, and they are not what is set up here.
            NeedsInput: a header's value is not where it is said to be.
        """
        known = self._known.get(id(options))
        if known is None or known.options is not options:  # the number of options that are gone may be another's now
            known = self._known[id(options)] = _Known(options, self._own_choice(options))
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        if known.own_choice and chosen_by is not Trust.LOCAL:
            raise Permanent(
                f"process.{known.own_choice} is not what is set up here: an item of a stranger's cannot choose it"
            )
        if known.processor is None:
            known.processor = self._made(options)
        return known.processor

    def thawed(self) -> None:
        """Connections that lay idle may be broken: Cloud Run moves jobs between machines."""
        self._pool.renew()

    async def close(self) -> None:
        for identity in self._identities.values():
            await identity.close()
        await self._pool.close()

    def _own_choice(self, options: Asked) -> str | None:
        """The first option that is another than the operator's, of those that are theirs to choose."""
        return next(
            (name for name in OPERATORS if getattr(options, name) != getattr(self._settings, f"processor_{name}")), None
        )

    def _made(self, options: Asked) -> Processor:
        headers = {name: self._secret(name, where) for name, where in options.headers.items()}
        wanted = options.wanted
        has_own = "authorization" in {name.lower() for name in headers}
        return Processor(
            wanted,
            self._pool,
            self._breakers.setdefault(wanted.origin, Breaker()),
            headers=headers,
            identity=None if has_own else self._identity(options),
            now=self._now,
        )

    def _secret(self, header: str, reference: str) -> str:
        try:
            value = references.look_up(reference, self._environment)
        except LookupError as error:
            raise _lack(f"the header {header} cannot be sent: {error}") from None
        if not value.isascii() or not value.isprintable():
            raise _lack(f"the header {header} cannot be sent: {reference} holds more than printable ASCII")
        return value

    def _identity(self, options: Asked) -> Identity | None:
        wanted = options.wanted
        if options.identity == "none" or not wanted.may_have_token:
            return None
        audience = options.audience or wanted.origin
        fetch = self._fetch(audience, certain=options.identity == "google")
        return self._identities.setdefault(audience, Identity(fetch)) if fetch else None

    def _fetch(self, audience: str, *, certain: bool) -> Fetch | None:
        """How a token is had here, in the order of Google's own clients. None: it is not."""
        path = key_files.usable(self._environment)
        if path:
            return lambda: key_files.fetch(path, audience)
        if certain or metadata.is_here(self._environment):
            return lambda: self._from_metadata(audience)
        return None

    async def _from_metadata(self, audience: str) -> str:
        generation = self._pool.enter()
        try:
            return await metadata.fetch(generation.session, audience, self._environment)
        finally:
            self._pool.leave(generation)


def _lack(message: str) -> NeedsInput:
    return NeedsInput(message, remedy=f"set it where the worker runs ({references.FORMS})", scope=Scope.ENVIRONMENT)
