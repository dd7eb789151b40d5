"""yt-dlp for items of strangers, in the child only: HTTP by the egress proxy, and no other protocol.

What the proxy says comes out as what it means: a refusal at once, as an error that no extractor takes for a reason to try
something else; a host out of reach as the broken connection that it would be without a proxy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from yt_dlp import YoutubeDL
from yt_dlp.networking import Request, RequestDirector, Response
from yt_dlp.networking.exceptions import HTTPError, NoSupportingHandlers, RequestError, TransportError

from rushes.egress import Refused, phrase, told
from rushes.errors import Permanent, StageError
from rushes.stages.fetching.signs import NOT_PUBLIC

SCHEMES = frozenset({"http", "https", "data"})
HANDLERS = frozenset({"Requests", "Urllib"})
"""yt-dlp's ways to send a request that are Python, so that no socket of theirs gets past the walls."""
PROTOCOLS = frozenset(
    {
        "http", "https", "m3u8", "m3u8_native", "http_dash_segments", "http_dash_segments_generator", "ism", "f4m",
        "mhtml",
    }
)  # fmt: skip
"""What yt-dlp fetches itself, by requests that pass through `urlopen`."""


class ConfinedYoutubeDL(YoutubeDL):
    """A `YoutubeDL` with one way out."""

    def urlopen(self, req: Any) -> Response:
        """As in the base class, of an address or a `yt_dlp.networking.Request`.

        Raises:
            Permanent: the proxy refused, or it is no request of HTTP.
        """
        request: Any = Request(req) if isinstance(req, str) else req
        _refuse_other_schemes(request.url)
        request.proxies = {}
        request.headers.pop("Ytdl-Request-Proxy", None)
        try:
            return super().urlopen(request)
        except RequestError as error:
            raise _meant(error) from error

    def build_request_director(self, handlers: Iterable[Any], preferences: Any = None) -> RequestDirector:
        """As in the base class, of handlers in Python for HTTP alone."""
        return super().build_request_director([one for one in handlers if one.RH_KEY in HANDLERS], preferences)


def refuse_other_protocols(formats: Iterable[Mapping[str, Any]]) -> None:
    """Raise `Permanent` if one of these formats is not fetched by yt-dlp itself over HTTP."""
    for one in formats:
        protocol = str(one.get("protocol"))
        if not set(protocol.split("+")) <= PROTOCOLS:
            raise Permanent(f"it is offered by {protocol} alone, and only http and https are fetched for others")


def _refuse_other_schemes(url: str) -> None:
    scheme = urlsplit(url).scheme.lower()
    if scheme and scheme not in SCHEMES:
        raise Permanent(f"only http and https are fetched for others, not {scheme}")


def _meant(error: RequestError) -> Exception:
    said = told(str(error))
    if said:
        words = said.reason
        return Permanent(words, remedy=NOT_PUBLIC) if isinstance(said, Refused) else TransportError(phrase(said))
    if isinstance(error, NoSupportingHandlers):
        return next((one for one in error.unexpected_errors if isinstance(one, StageError)), error)
    if isinstance(error, HTTPError):
        return _in_standard_words(error)
    return error


def _in_standard_words(error: HTTPError) -> HTTPError:
    """Without a reason of the server's own, which would be read for signs of what this machine lacks."""
    try:
        error.response.reason = HTTPStatus(error.status).phrase
    except ValueError:
        error.response.reason = None
    return HTTPError(error.response, redirect_loop=error.redirect_loop)
