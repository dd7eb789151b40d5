"""What an address points at: its canonical key, and where to get it."""

from __future__ import annotations

import hashlib
import re
from typing import NoReturn

from rushes.keys import youtube
from rushes.keys.addresses import Address, BadAddress, normalized, parse
from rushes.model import Source, VideoKey

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PREFIX = re.compile(r"(?:feed|list):(?=\S)", re.IGNORECASE)
_LISTING_NAMES = (".rss", ".atom", ".xml")
_LISTING_STEPS = frozenset({"feed", "rss"})


def is_address(text: str) -> bool:
    """Whether a text is meant as an address rather than as a path."""
    return bool(_SCHEME.match(text) or _PREFIX.match(text))


def is_name_of_video(text: str) -> bool:
    """Whether a text that is no path is still understood: a YouTube video's id, or such an address without `https://`."""
    return youtube.is_id(text) or youtube.is_schemeless(text)


def source_of(text: str) -> Source:
    """What an address points at.

    Args:
        text: an `http` or `https` address; a YouTube address also without its scheme; a YouTube video's id; or an address
            after `feed:` or `list:`, which says that it stands for many videos where that cannot be seen.

    Raises:
        BadAddress: it is none of these, or of a form that cannot be right; the message says which.
    """
    known = youtube.quick(text)
    if known:
        return known
    if text.startswith(("https://", "http://")):
        return _read(text, as_list=False)
    if youtube.is_id(text):
        return youtube.video(text)
    location, as_list = _without_prefix(text)
    return _read(f"https://{location}" if youtube.is_schemeless(location) else location, as_list=as_list)


def _read(location: str, *, as_list: bool) -> Source:
    address = parse(location)
    if not youtube.is_host(address.host):
        return _plain(address, location, as_list=as_list)
    found = youtube.read(address, as_list=as_list)
    if isinstance(found, Source):
        return _refuse_single(found) if as_list else found
    return _listed(normalized(parse(found))) if found else _plain(address, location, as_list=as_list)


def _without_prefix(text: str) -> tuple[str, bool]:
    found = _PREFIX.match(text)
    if not found:
        return text, False
    rest = text[found.end() :]
    return (f"https:{rest}" if rest.startswith("//") else rest), True


def _refuse_single(source: Source) -> NoReturn:
    raise BadAddress(f"one video, not a list of them: {source.location}")


def _listed(location: str) -> Source:
    return Source(_url_key(location), location, collection=True)


def _plain(address: Address, location: str, *, as_list: bool) -> Source:
    """Fetched as it was written, since a signature may cover every character; known by its normal form."""
    return Source(_url_key(normalized(address)), location, collection=as_list or _is_listing(address.path))


def _url_key(normal: str) -> VideoKey:
    return VideoKey("url:" + hashlib.sha1(normal.encode(), usedforsecurity=False).hexdigest())


def _is_listing(path: str) -> bool:
    steps = path.lower().split("/")
    return steps[-1].endswith(_LISTING_NAMES) or not _LISTING_STEPS.isdisjoint(steps)
