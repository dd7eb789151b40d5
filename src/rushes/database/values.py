"""JSON and text on their way into PostgreSQL, which holds neither NUL nor half of a surrogate pair.

Titles and captions come from strangers. One bad character must not make the settlement of a whole batch fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncpg import Connection

_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")
# Made once: `json.dumps` with arguments would make an encoder for every value.
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_DECODE = json.JSONDecoder().raw_decode
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def storable(text: str) -> str:
    """The text with U+FFFD for what PostgreSQL cannot hold. JSON values are treated so by their codec."""
    return _IMPOSSIBLE.sub(REPLACEMENT, text)


class Encoded(str):
    """A value that is JSON already, by `encode_all`: `encode_json` takes it as it is."""

    __slots__ = ()


def encode_json(value: Any) -> str:
    """Raises: ValueError for NaN and infinity, TypeError for what has no JSON form."""
    if isinstance(value, Encoded):
        return value
    text = _ENCODE(value)
    return text if _fits(text) else _mended(text)


def encode_all(values: Iterable[Any]) -> list[Encoded]:
    """Many values, which are looked at together, because nearly all are fit as they are. Raises: as `encode_json`."""
    texts = list(map(_ENCODE, values))
    return list(map(Encoded, texts if _fits("".join(texts)) else map(_mended, texts)))


async def use_json(connection: Connection) -> None:
    """Have a connection speak Python objects for `json` and `jsonb`: in binary form, which COPY asks for."""
    for name, version, decoder in (("json", b"", json.loads), ("jsonb", b"\x01", _decode_jsonb)):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encoder(version), decoder=decoder, format="binary"
        )


def _encoder(version: bytes) -> Callable[[Any], bytes]:
    return lambda value: version + encode_json(value).encode()


def _decode_jsonb(data: bytes) -> Any:
    """A byte for the version, then the value: the server writes it anew, so that no blank stands before or after it."""
    return _DECODE(data[1:].decode())[0]


def _fits(text: str) -> bool:
    return "\\u0000" not in text and not _IMPOSSIBLE.search(text)


def _mended(text: str) -> str:
    return _ENCODE(_storable_tree(json.loads(text)))


def _storable_tree(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable_tree(each) for each in value]
    if isinstance(value, dict):
        return {storable(name): _storable_tree(each) for name, each in value.items()}
    return value
