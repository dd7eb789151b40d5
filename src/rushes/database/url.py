"""Addresses of a PostgreSQL: what is accepted, what the driver is given, and what may be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from rushes.errors import SettingsError

WANTED = "postgresql://user:password@host:5432/database"
VARIABLES = "RUSHES_DATABASE_URL (or DATABASE_URL)"
_LIBPQ_ONLY = frozenset({
    "channel_binding", "connect_timeout", "fallback_application_name", "gssencmode", "keepalives", "keepalives_count",
    "keepalives_idle", "keepalives_interval", "load_balance_hosts", "pgbouncer", "requirepeer", "sslcompression",
    "tcp_user_timeout",
})  # fmt: skip
"""Parameters of other clients that asyncpg would pass on to the server, which refuses them."""

_SESSION = {"target_session_attrs": "read-write"}
"""Of several hosts the one that writes. Who reaches the old primary in a failover would keep a session that never does:
there is none until one can write. Servers say what they are at connect (from PostgreSQL 14), so asking costs nothing."""


@dataclass(frozen=True, slots=True)
class Address:
    """A database's URL, with its password."""

    url: str

    @property
    def dsn(self) -> str:
        """As asyncpg wants it."""
        parts = urlsplit(self.url)
        known = {name: value for name, value in parse_qsl(parts.query) if name not in _LIBPQ_ONLY}
        return urlunsplit(parts._replace(query=urlencode(_SESSION | known, quote_via=quote, safe="/")))

    @property
    def masked(self) -> str:
        """Without its secrets."""
        parts = urlsplit(self.url)
        user, at, host = parts.netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        query = re.sub(r"(?<![^&])((?:ssl)?password)=[^&]*", r"\1=***", parts.query)
        return urlunsplit(parts._replace(netloc=f"{name}{colon}{'***' if colon else ''}{at}{host}", query=query))

    @property
    def password(self) -> str | None:
        """Its password, wherever the URL has it."""
        parts = urlsplit(self.url)
        inline = parts.netloc.rpartition("@")[0].partition(":")[2]
        return unquote(inline) or dict(parse_qsl(parts.query)).get("password")

    @property
    def public(self) -> str:
        """Without its password: for command lines, which anybody on the machine can read."""
        parts = urlsplit(self.url)
        user, at, host = parts.netloc.rpartition("@")
        query = [(name, value) for name, value in parse_qsl(parts.query) if name != "password"]
        netloc = user.partition(":")[0] + at + host
        return urlunsplit(parts._replace(netloc=netloc, query=urlencode(query, quote_via=quote, safe="/")))


def parse_url(text: str) -> Address:
    """Check a URL as people write them (`postgres://`, `postgresql+asyncpg://`, …). Raises: SettingsError."""
    scheme, colon, rest = text.strip().partition("://")
    if not colon or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        found = f"found a URL of kind {scheme!r}" if colon else "found something else"
        raise SettingsError(f"{VARIABLES}: {found}, wanted {WANTED}")
    address = Address(f"postgresql://{rest}")
    try:
        urlsplit(address.url)
    except ValueError as error:
        raise SettingsError(f"{VARIABLES}: {error}, wanted {WANTED}") from None
    return address
