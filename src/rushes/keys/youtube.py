"""Which video or list of videos a YouTube address means, in every form that YouTube and its mirrors write it.

The rule is our own since asking yt-dlp costs 21 ms an address and, for `watch?v=X&list=Y`, answers with the list where
people mean the video.
"""

from __future__ import annotations

import functools
import re
from urllib.parse import urlencode, urljoin

from rushes.keys.addresses import Address, BadAddress, normal_path, parse
from rushes.model import Source, VideoKey

_ID = re.compile(r"[0-9A-Za-z_-]{11}(?![0-9A-Za-z_-])")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_COMMON = re.compile(
    r"https?://(?:(?:www|m)\.)?(?:youtube\.com/watch\?v=([0-9A-Za-z_-]{11})(?:[&#][!-~]{0,2000})?"
    r"|(?:youtube\.com/shorts|youtu\.be)/([0-9A-Za-z_-]{11})(?:[?#][!-~]{0,2000})?)"
)
_HOST = re.compile(
    r"(?:(?:www|m|music|gaming|kids|tv)\.)?(?:youtube\.com|youtube-nocookie\.com|youtubekids\.com|youtu\.be)"
    r"|youtube\.googleapis\.com"
    # Mirrors use YouTube's own paths and ids.
    r"|(?:www\.)?(?:yewtu\.be|piped\.video|inv\.nadeko\.net|invidio\.us|invidious\.[a-z0-9.-]+)"
)
_BARE_HOST = re.compile(r"(?:(?:www|m|music)\.)?(?:youtube\.com|youtu\.be|youtube-nocookie\.com)/\S", re.IGNORECASE)
_BEFORE_ID = frozenset({"shorts", "live", "embed", "v", "vi", "e", "watch"})
_CHANNEL = frozenset({"channel", "c", "user"})
_MAX_HOPS = 3


def video(identifier: str) -> Source:
    """The video of that id."""
    return Source(VideoKey(f"youtube:{identifier}"), f"https://www.youtube.com/watch?v={identifier}")


def quick(text: str) -> Source | None:
    """The video of the commonest spellings, without taking them apart."""
    found = _COMMON.fullmatch(text)
    return video(found[1] or found[2]) if found else None


def is_id(text: str) -> bool:
    """Whether a text alone is a video's id. A plain word of eleven letters is none: it is a name somebody mistyped."""
    return bool(_ID.fullmatch(text)) and not _WORD.fullmatch(text)


def is_schemeless(text: str) -> bool:
    """Whether a text is a YouTube address without its `https://`."""
    return bool(_BARE_HOST.match(text))


@functools.lru_cache(maxsize=4096)
def is_host(host: str) -> bool:
    """Whether YouTube or one of its mirrors answers there."""
    return bool(_HOST.fullmatch(host))


def read(address: Address, *, as_list: bool = False, hops: int = 0) -> Source | str | None:
    """What a YouTube address means: a video, or the normal form of a list's address, or None for any other page.

    Args:
        address: one whose host `is_host`.
        as_list: `watch?v=X&list=Y` means the list, not the video.
        hops: how many addresses led here.

    Raises:
        BadAddress: it is written like a video's or list's address, but without a right id.
    """
    steps = [step for step in normal_path(address).split("/") if step]
    first = steps[0].lower() if steps else ""
    inner = _inner(address, first)
    if inner is not None and hops < _MAX_HOPS:
        return read(inner, as_list=as_list, hops=hops + 1) if is_host(inner.host) else None
    parameters = address.parameters
    if as_list and parameters.get("list"):
        return _list("playlist", {"list": parameters["list"]})
    return _listing(steps, first, parameters) or _video(address, steps, first, parameters)


def _inner(address: Address, first: str) -> Address | None:
    """The address inside another one: a shared link (`attribution_link?u=`), or a route (`#/watch?v=`)."""
    base = "https://www.youtube.com/"
    if first == "attribution_link" and (target := address.parameters.get("u")):
        return parse(urljoin(base, target))
    if not first and address.fragment.startswith(("/watch", "!/watch", "!v=")):
        route = address.fragment.removeprefix("!").removeprefix("/")
        return parse(base + (f"watch?{route}" if route.startswith("v=") else route))
    return None


def _listing(steps: list[str], first: str, parameters: dict[str, str]) -> str | None:
    if first == "playlist" or steps[:2] == ["embed", "videoseries"]:
        return _list("playlist", {"list": _required(parameters, "list", "playlist")})
    if first == "watch" and len(steps) == 1 and "v" not in parameters and parameters.get("list"):
        return _list("playlist", {"list": parameters["list"]})
    if first == "results" and (words := parameters.get("search_query")):
        return _list("results", {"search_query": words})
    if [step.lower() for step in steps] == ["feeds", "videos.xml"]:
        known = {name: parameters[name] for name in ("channel_id", "playlist_id", "user") if parameters.get(name)}
        return _list("feeds/videos.xml", known) if known else None
    return _channel(steps, first)


def _channel(steps: list[str], first: str) -> str | None:
    # The `live` tab is the one video that runs now.
    if steps and steps[-1].lower() == "live":
        return None
    if first.startswith("@") and len(first) > 1:
        # Handles are the same in either case; https://support.google.com/youtube/answer/11585688
        return "https://www.youtube.com/" + "/".join([first, *steps[1:]])
    if first in _CHANNEL and len(steps) > 1:
        return "https://www.youtube.com/" + "/".join([first, *steps[1:]])
    return None


def _video(address: Address, steps: list[str], first: str, parameters: dict[str, str]) -> Source | None:
    if first in {"", "watch", "watch_popup"} and "v" in parameters:
        return video(_checked(parameters["v"]))
    if first in _BEFORE_ID and len(steps) > 1:
        return video(_checked(steps[1])) if steps[1] != "live_stream" else None
    if address.host.endswith("youtu.be") and len(steps) == 1 and first not in {"watch", "watch_popup"}:
        return video(_checked(steps[0]))
    if first in {"watch", "watch_popup"}:
        raise BadAddress("a YouTube address without a video: ?v= is missing")
    return None


def _list(path: str, parameters: dict[str, str]) -> str:
    return f"https://www.youtube.com/{path}?{urlencode(parameters)}"


def _required(parameters: dict[str, str], name: str, what: str) -> str:
    if parameters.get(name):
        return parameters[name]
    raise BadAddress(f"a YouTube address without a {what}: ?{name}= is missing")


def _checked(identifier: str) -> str:
    found = _ID.match(identifier)
    if not found:
        raise BadAddress(
            f"not a YouTube video: {identifier[:40]!r} is no id (11 letters, digits, - or _); was it cut off?"
        )
    return found[0]
