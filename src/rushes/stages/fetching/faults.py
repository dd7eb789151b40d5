"""What each failure of a fetch means for its job: the one table of yt-dlp's exceptions and phrases and of HTTP statuses.

Exceptions come first where they are exact (a status, a broken connection), phrases where a site's own words are all there
is. Checked against the sources of yt-dlp 2026.10.26. What is not in the table and is no error of yt-dlp's is a bug.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from urllib.parse import urlsplit

from rushes.egress import Refused, told
from rushes.errors import ErrorClass, NeedsInput, Permanent, RateLimited, Scope, StageError, Transient
from rushes.model import Failure
from rushes.stages.fetching.signs import (
    COOKIES,
    FOR_OTHERS,
    JAVASCRIPT,
    NOT_A_BOT,
    NOT_PUBLIC,
    OURS,
    PROXY,
    RIGHTS,
    SPACE,
    THEIRS,
    UPDATE,
    Sign,
)
from rushes.stages.fetching.wording import broken, elsewhere, plain
from rushes.stages.http import answered, rest_asked


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fetch was when it failed."""

    url: str
    extractor: str | None = None
    """yt-dlp's name of the site; None before it is known, `generic` for a page that no extractor knows."""
    downloading: bool = False
    """The media itself, not the page."""
    without_javascript: bool = False
    """yt-dlp missed a JavaScript runtime on the way."""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "the site"

    @property
    def known_site(self) -> bool:
        return self.extractor not in {None, "generic", "html5"}


_STATUS_IN_WORDS = re.compile(r"HTTP Error (\d{3})")
_GAVE_UP = re.compile(
    r"\bgot error: |giving up after \d+ retr|did not get any data blocks|content too short", re.IGNORECASE
)
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}


def classify(error: BaseException, place: Place) -> Failure | None:
    """What a failure means, in words; None where it is none of the fetch's (a bug)."""
    chain = list(_causes(error))
    stopped = next((found for cause in chain if (found := by_egress(str(cause)))), None)
    if stopped:
        return stopped
    site = next((str(name) for one in chain if (name := getattr(one, "ie", None))), None)
    place = replace(place, extractor=place.extractor or site)
    for found in (_by_type(cause, place) for cause in chain):
        if found:
            return _preferring(_ours(_without_reason(str(chain[0]))), found)
    if not any(_is_yt_dlps(cause) for cause in chain):
        return None
    return by_words(str(chain[-1] if _is_yt_dlps(chain[-1]) else error), place)


def failure_of(error: BaseException, place: Place) -> Failure | None:
    """The same, for an error that may be classed already, or be made of one that is."""
    classed = next((cause for cause in _causes(error) if isinstance(cause, StageError)), None)
    return from_error(classed) if classed else classify(error, place)


def by_egress(message: str) -> Failure | None:
    """The same, where the egress proxy's words are in a message; None: they are not."""
    said = told(message)
    if not said:
        return None
    if isinstance(said, Refused):
        return Failure(ErrorClass.PERMANENT, said.reason, NOT_PUBLIC)
    return Failure(ErrorClass.TRANSIENT, said.reason)


def for_others(failure: Failure) -> Failure:
    """The same failure of a stranger's item: it is fetched without what some remedies ask the operator for.

    What speaks of a proxy was the stranger's host, or our own proxy: neither is a lack of this machine.
    """
    remedy = FOR_OTHERS.get(failure.remedy or "", failure.remedy)
    if failure.remedy == PROXY:
        return Failure(ErrorClass.TRANSIENT, failure.message, remedy)
    return replace(failure, remedy=remedy)


def by_words(message: str, place: Place) -> Failure:
    """The same, where a message is all there is."""
    stopped = by_egress(message)
    if stopped:
        return stopped
    ours = _ours(_without_reason(message))
    if ours:
        return ours
    status = _STATUS_IN_WORDS.search(message)
    if status:
        return by_status(int(status[1]), place)
    if _GAVE_UP.search(message):
        return Failure(ErrorClass.TRANSIENT, f"{place.host}: {plain(message)}")
    for sign in THEIRS:
        if sign.words.search(message):
            return _signed(sign, message)
    return _unreadable(message, place)


def by_status(status: int, place: Place, *, retry_after: str | None = None, host: str | None = None) -> Failure:
    """What an HTTP status means. `retry_after` is the header of that name as it came."""
    said = answered(host or place.host, status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Failure(ErrorClass.RATE_LIMITED, said, retry_after=rest_asked(retry_after, datetime.now(UTC)))
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return _lack(answered("the proxy", status), PROXY)
    if status in _REFUSED and place.known_site and place.downloading:
        return _lack(f"{said} for the media: it takes this for a bot", NOT_A_BOT)
    if status in _REFUSED:
        return Failure(ErrorClass.NEEDS_INPUT, f"{said}: it wants a login", COOKIES)
    passing = status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return Failure(ErrorClass.TRANSIENT if passing else ErrorClass.PERMANENT, said)


def to_error(failure: Failure) -> StageError:
    """The exception that a stage raises for it."""
    details = dict(failure.details)
    match failure.error_class:
        case ErrorClass.RATE_LIMITED:
            return RateLimited(failure.message, retry_after=failure.retry_after, remedy=failure.remedy, details=details)
        case ErrorClass.NEEDS_INPUT:
            scope = Scope.ENVIRONMENT if failure.environment else Scope.ITEM
            return NeedsInput(failure.message, remedy=failure.remedy or COOKIES, scope=scope, details=details)
        case ErrorClass.TRANSIENT:
            return Transient(failure.message, remedy=failure.remedy, details=details)
        case _:
            return Permanent(failure.message, remedy=failure.remedy, details=details)


def from_error(error: StageError) -> Failure:
    """An error that was classed where it arose, as data."""
    return Failure(
        error.error_class,
        error.reason,
        error.remedy,
        environment=isinstance(error, NeedsInput) and error.scope is Scope.ENVIRONMENT,
        retry_after=error.retry_after if isinstance(error, RateLimited) else None,
        details=error.details,
    )


def disk_failure(error: OSError) -> Failure | None:
    """What an error of the file system means; None where it is none that a person could mend."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _lack(f"the disk is full{where}", SPACE)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return _lack(f"this folder cannot be written{where}", RIGHTS)
    return None


def _by_type(error: BaseException, place: Place) -> Failure | None:
    if isinstance(error, (ConnectionError, TimeoutError, HTTPException)):
        return Failure(ErrorClass.TRANSIENT, broken(str(error), place.host))
    if isinstance(error, OSError):
        return disk_failure(error)
    return _network(error, place) or _video(error, place)


def _network(error: BaseException, place: Place) -> Failure | None:
    from yt_dlp.networking import exceptions as net

    match error:
        case net.HTTPError():
            host = urlsplit(error.response.url).hostname
            return by_status(error.status, place, retry_after=error.response.headers.get("Retry-After"), host=host)
        case net.CertificateVerifyError():
            return Failure(ErrorClass.PERMANENT, f"{place.host}: its TLS certificate is not valid")
        case net.ProxyError():
            return _lack("the proxy cannot be reached, or refused", PROXY)
        case net.TransportError():
            return Failure(ErrorClass.TRANSIENT, broken(str(error), place.host))
    return None


def _video(error: BaseException, place: Place) -> Failure | None:
    from yt_dlp import utils

    match error:
        case utils.ContentTooShortError() | utils.ThrottledDownload():
            return Failure(ErrorClass.TRANSIENT, f"{place.host}: {plain(str(error))}")
        case utils.GeoRestrictedError():
            return Failure(ErrorClass.PERMANENT, elsewhere(error.countries or ()))
        case utils.UnsupportedError() | utils.UserNotLive():
            return _unreadable(str(error), place)
    return None


def _unreadable(message: str, place: Place) -> Failure:
    """A page in which no video was found, or none that this yt-dlp can read."""
    from yt_dlp.version import __version__

    if place.without_javascript:
        return _lack(f"{plain(message)}: no JavaScript runtime was found", JAVASCRIPT)
    if "Requested format is not available" in message:
        return Failure(ErrorClass.PERMANENT, f"{place.host} offers nothing of it with what is wanted")
    if place.known_site:
        return Failure(
            ErrorClass.PERMANENT, f"{plain(message)} (extractor {place.extractor}, yt-dlp {__version__})", UPDATE
        )
    said = plain(message)
    if said.startswith("Unsupported URL"):
        said = "no video was found on that page: no extractor knows the site, and the page names no media"
    return Failure(ErrorClass.PERMANENT, f"{said} (yt-dlp {__version__})")


def _without_reason(message: str) -> str:
    """A message without the words that a server put behind its status: they are no word on this machine."""
    return _STATUS_IN_WORDS.split(message)[0]


def _ours(message: str) -> Failure | None:
    return next((_signed(sign, message) for sign in OURS if sign.words.search(message)), None)


def _signed(sign: Sign, message: str) -> Failure:
    return Failure(sign.error_class, plain(message), sign.remedy, sign.environment)


def _preferring(ours: Failure | None, found: Failure) -> Failure:
    """A status or a type is exact, except that only words tell a bot check and a missing tool."""
    return ours if ours and ours.environment and not found.environment else found


def _lack(message: str, remedy: str) -> Failure:
    """What this machine, or its standing with the host, lacks for any video."""
    return Failure(ErrorClass.NEEDS_INPUT, message, remedy, environment=True)


def _is_yt_dlps(error: BaseException) -> bool:
    from yt_dlp.utils import YoutubeDLError

    return isinstance(error, YoutubeDLError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was made of, outermost first, along the links that yt-dlp sets on purpose."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = _cause(error)


def _cause(error: BaseException) -> BaseException | None:
    """What yt-dlp made this error of. An extractor's own words count, not the status that it took for its reason."""
    from yt_dlp.utils import DownloadError, ExtractorError, UnavailableVideoError

    match error:
        case ExtractorError():
            return error.cause if isinstance(error.cause, BaseException) else None
        case DownloadError() | UnavailableVideoError():
            return error.__context__
        case _:
            return error.__cause__
