"""What each failure of asking a processor means for the item: the one table of broken connections and HTTP statuses."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import aiohttp

from rushes.errors import NeedsInput, Permanent, RateLimited, Scope, StageError, Transient
from rushes.masking import MASK
from rushes.shortening import shortened
from rushes.stages.http import answered, rest_asked

GONE = 5
"""Strikes of a request that got no answer from the processor itself."""
FAILED = 1
"""Strikes of one that it answered with an error of its own."""
LONGEST_REST = timedelta(hours=1)
"""What a processor may ask for; it is a stranger's word."""
SHORTEST_REST = timedelta(seconds=1)
USUAL_REST = timedelta(seconds=30)
"""Where it says that there were too many requests, but not for how long."""

SHOWN = 300
"""Characters of an answer in a reason."""
_LOOKED_AT = 20 * SHOWN
_IDENTITY_REFUSED = (
    "let this identity call it: grant roles/run.invoker on the service; behind a domain of your own, set"
    " RUSHES_PROCESSOR_AUDIENCE to the audience that it expects"
)
_IDENTITY_WANTED = (
    "let anybody call it, give what it wants with RUSHES_PROCESSOR_HEADERS, or set RUSHES_PROCESSOR_IDENTITY=google where"
    " there is a Google identity, which needs roles/run.invoker"
)
_OPEN_FILES = "raise the limit of open files (ulimit -n), or run fewer at once (--concurrency)"
_CERTIFICATE = "give it a certificate that is valid, or make this machine trust its issuer (SSL_CERT_FILE)"
_BROKEN: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "{} was not found (DNS)"),
    (aiohttp.ServerTimeoutError, "{} did not take a connection in time"),
    (aiohttp.ClientConnectorError, "{} cannot be reached"),
    (aiohttp.ClientPayloadError, "{} broke off in the middle of its answer"),
    (aiohttp.ServerDisconnectedError, "{} closed the connection without an answer"),
    (aiohttp.ClientResponseError, "{} answered with something that is no HTTP"),
)
"""What broke, in words. The first that fits."""
_GATEWAYS = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_OFTEN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_MARKUP = re.compile(r"<[^<>]{0,1000}>")


class HostFault(Transient):
    """A failure that says something of the host, not only of the item."""

    def __init__(self, message: str, *, strikes: int = GONE) -> None:
        super().__init__(message)
        self.strikes = strikes


class AskedForRest(RateLimited):
    """The host said that it has too much to do, and mostly when to come back: that holds for all items."""

    def __init__(self, message: str, rest: timedelta) -> None:
        super().__init__(message, retry_after=rest)
        self.rest = rest


def broken(error: Exception, host: str) -> StageError | None:
    """What an exception out of the HTTP library means; None: it is none of its own."""
    if lack := _lack(error, host):
        return lack
    if getattr(error, "errno", None) == errno.ECONNREFUSED:
        return HostFault(f"{host} refuses connections")
    for kind, said in _BROKEN:
        if isinstance(error, kind):
            return HostFault(said.format(host))
    if isinstance(error, (aiohttp.ClientError, ConnectionError)):
        return HostFault(f"the connection to {host} broke: {error}"[:SHOWN])
    return None


def _lack(error: Exception, host: str) -> NeedsInput | None:
    """What is wrong with this machine or the service itself, whichever item it is."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        said, remedy = f"the TLS certificate of {host} is not valid: {error.certificate_error}", _CERTIFICATE
    elif getattr(error, "errno", None) in {errno.EMFILE, errno.ENFILE}:
        said, remedy = f"too many files are open for another connection to {host}", _OPEN_FILES
    else:
        return None
    return NeedsInput(said, remedy=remedy, scope=Scope.ENVIRONMENT)


def too_slow(host: str, limit: timedelta) -> StageError:
    return HostFault(f"{host} did not answer whole within {limit.total_seconds():g} s")


def resting(host: str, seconds: float) -> StageError:
    """What an item gets that comes while the host is left alone."""
    return RateLimited(
        f"{host} is left alone for now: it failed again and again, or asked for rest",
        retry_after=max(SHORTEST_REST, timedelta(seconds=seconds)),
    )


def of_status(status: int, headers: Mapping[str, str], host: str, body: str) -> StageError:
    """What a status other than 2xx means. `body` is the beginning of what came with it, without secrets."""
    said = f"{answered(host, status)}{f': {body}' if body else ''}"
    if status in _OFTEN and (rest := rest_asked(headers.get("Retry-After"), datetime.now(UTC))) is not None:
        return AskedForRest(said, min(max(rest, SHORTEST_REST), LONGEST_REST))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return AskedForRest(said, USUAL_REST)
    if status in _GATEWAYS:
        return HostFault(said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return HostFault(said, strikes=FAILED)
    if status in _PASSING:
        return Transient(said)
    return Permanent(said)


def refused(status: int, host: str, body: str, *, with_token: bool) -> StageError:
    """What 401 and 403 mean: the processor does not know us, whichever item it is."""
    said = f"{answered(host, status)}{f': {body}' if body else ''}"
    remedy = _IDENTITY_REFUSED if with_token else _IDENTITY_WANTED
    return NeedsInput(said, remedy=remedy, scope=Scope.ENVIRONMENT)


def beginning(text: str, secrets: tuple[str, ...] = ()) -> str:
    """How a text begins, for a reason: one line, without markup and without secrets that it may repeat."""
    text = text[:_LOOKED_AT]
    for secret in secrets:
        text = text.replace(secret, MASK)
    plain = " ".join(_MARKUP.sub(" ", text).split())
    return shortened(plain, SHOWN)
