"""GitHub's REST API as far as workflows need it: patient with its limits and its bad moments, clear about its refusals.

What is asked may be asked again after a fault. What starts something may not: whether it was started is then not known, and
the caller is told so. The token goes to the API's own address and nowhere else; no message, log or page of a list shows it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from rushes.errors import NeedsInput, Permanent, RateLimited, Scope, StageError, Transient, UsageError

if TYPE_CHECKING:
    import httpx

API_URL = "https://api.github.com"
VERSION = "2022-11-28"
"""The version of the API that servers of one's own speak too; GitHub keeps it until March 2028 at least."""

PATIENCE = timedelta(minutes=2)
"""How long one request may wait, all its repetitions together, before it is given up."""

_CONNECT, _ANSWER = 10.0, 30.0
_SECONDARY = timedelta(minutes=1)
"""What GitHub asks for where a secondary limit comes without a time (docs, "Exceeding the rate limit")."""

_SHOWN = 500
"""Characters of GitHub's own words in an error."""

Sleep = Callable[[float], Awaitable[None]]
Token = str | Callable[[], str]
"""A token, or a function that gives the one of the moment: those of a GitHub App last an hour."""


class Unsure(Transient):
    """A request that starts something got no answer: it may have been done, or not."""


class GitHub:
    """The API, with one token. Use as an async context manager."""

    def __init__(
        self, token: Token, *, api_url: str = API_URL, patience: timedelta = PATIENCE, sleep: Sleep = asyncio.sleep
    ) -> None:
        """Raises: UsageError (the token or the address cannot be used)."""
        import httpx

        address = httpx.URL(api_url.rstrip("/"))
        _check_address(address)
        if isinstance(token, str):
            _check_token(token)
        self._patience = patience.total_seconds()
        self.sleep = sleep
        self._client = httpx.AsyncClient(
            base_url=address,
            auth=_bearer(token),
            timeout=httpx.Timeout(_ANSWER, connect=_CONNECT),
            headers={
                "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION, "User-Agent": "rushes",
            },
        )  # fmt: skip

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(
        self, path: str, *, params: Mapping[str, str] | None = None, etag: str | None = None
    ) -> httpx.Response:
        """Ask. With `etag` the answer may be 304, which costs nothing of the limit.

        Raises: StageError (GitHub refuses, or cannot be reached for longer than the patience).
        """
        headers = {"If-None-Match": etag} if etag else {}
        return await self._request("GET", path, params=params, headers=headers)

    async def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """Start something. Raises: Unsure (it may have been done), StageError (it was not)."""
        return await self._request("POST", path, json=dict(body))

    async def pages(self, path: str, params: Mapping[str, str]) -> AsyncIterator[Any]:
        """The pages of a list, one after the other (`Link` with `rel="next"`)."""
        answer = await self.get(path, params=params)
        while True:
            yield read(answer)
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            address = self._client.base_url.join(following)
            if (address.scheme, address.netloc) != (self._client.base_url.scheme, self._client.base_url.netloc):
                raise Permanent(f"GitHub's list goes on at {address.host}, which is not the API that was given")
            answer = await self.get(str(address))

    async def _request(self, method: str, path: str, **given: Any) -> httpx.Response:
        waited, tries = 0.0, 0
        while True:
            answer, fault = await self._try(method, path, given)
            if answer is not None and fault is None:
                return answer
            assert fault is not None
            tries += 1
            rest = fault.retry_after.total_seconds() if isinstance(fault, RateLimited) and fault.retry_after else 0.0
            wait = max(rest, float(2 ** (tries - 1)))
            if isinstance(fault, Unsure) or waited + wait > self._patience:
                raise fault
            await self.sleep(wait)
            waited += wait

    async def _try(
        self, method: str, path: str, given: Mapping[str, Any]
    ) -> tuple[httpx.Response | None, StageError | None]:
        """One request: its answer, or the fault after which it may be tried again. Raises what no repetition can help."""
        import httpx

        what, started = f"{method} {path}", method != "GET"
        try:
            answer = await self._client.request(method, path, **given)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return None, Transient(f"GitHub cannot be reached ({what}): {type(error).__name__} {error}".rstrip())
        except httpx.TransportError as error:
            kind = Unsure if started else Transient
            return None, kind(f"GitHub did not answer ({what}): {type(error).__name__} {error}".rstrip())
        if (rest := _rest(answer)) is not None:
            return None, RateLimited(f"GitHub asks for rest ({what}): {_words(answer)}", retry_after=rest)
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            kind = Unsure if started else Transient
            return None, kind(f"GitHub has trouble ({what}): HTTP {answer.status_code} {_words(answer)}".rstrip())
        if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES and answer.status_code != HTTPStatus.NOT_MODIFIED:
            raise _refusal(answer, what)
        return answer, None


def _bearer(token: Token) -> Callable[[httpx.Request], httpx.Request]:
    """Puts the token of that moment into a request."""

    def sign(request: httpx.Request) -> httpx.Request:
        now = token if isinstance(token, str) else token()
        _check_token(now)
        request.headers["Authorization"] = f"Bearer {now}"
        return request

    return sign


def _check_token(token: str) -> None:
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise UsageError("the GitHub token is empty or has characters that no token has", remedy="look for a line end")


def read(answer: httpx.Response) -> Any:
    """The JSON of an answer. Raises: Transient (it is none, such as a page of a proxy on the way)."""
    try:
        return answer.json()
    except ValueError:
        raise Transient(f"{answer.request.url.host} answered with something that is no JSON") from None


def time_of(answer: httpx.Response) -> datetime:
    """When it was answered, by GitHub's clock if it says so."""
    try:
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def _check_address(address: httpx.URL) -> None:
    loopback = address.scheme == "http" and address.host in ("127.0.0.1", "localhost", "::1")
    if not (loopback or (address.scheme == "https" and address.host)):
        raise UsageError(
            f"the API of GitHub at {address.host or 'an empty address'!r} must be spoken to by https: the token goes there"
        )
    if address.userinfo:
        raise UsageError("the address of GitHub's API has a user in it; the token is given by itself")


def _rest(answer: httpx.Response) -> timedelta | None:
    """How long GitHub wants to be left alone; None if it does not."""
    if answer.status_code not in (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS):
        return None
    after, spent = answer.headers.get("Retry-After"), answer.headers.get("X-RateLimit-Remaining") == "0"
    if after and after.isdecimal():
        return timedelta(seconds=int(after[:6]))
    if spent and (reset := answer.headers.get("X-RateLimit-Reset", "")).isdecimal():
        return max(datetime.fromtimestamp(int(reset[:12]), UTC) - time_of(answer), timedelta(seconds=1))
    limited = spent or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or "rate limit" in _words(answer).lower()
    return _SECONDARY if limited else None


def _words(answer: httpx.Response) -> str:
    """GitHub's own words."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("message", ""))[:_SHOWN] if isinstance(body, dict) else ""


def _refusal(answer: httpx.Response, what: str) -> StageError:
    code, said = answer.status_code, f"{what}: HTTP {answer.status_code} {_words(answer)}".rstrip()
    if code == HTTPStatus.UNAUTHORIZED:
        remedy = "give a token that is valid and not expired"
        return NeedsInput(f"GitHub does not know the token ({said})", remedy=remedy, scope=Scope.ENVIRONMENT)
    if code == HTTPStatus.FORBIDDEN:
        remedy = "give a token with the right `Actions: read and write` for this repository"
        return NeedsInput(f"GitHub does not allow it to this token ({said})", remedy=remedy, scope=Scope.ENVIRONMENT)
    if code == HTTPStatus.NOT_FOUND:
        return Permanent(
            f"GitHub has no such repository, workflow or run, or this token may not see it ({said})",
            remedy="look at the names, and at the token's repositories",
        )
    if code < HTTPStatus.BAD_REQUEST:
        return Permanent(f"the repository has moved ({said})", remedy="give it by its new name")
    return Permanent(f"GitHub refuses ({said})", details={"http_status": code})
