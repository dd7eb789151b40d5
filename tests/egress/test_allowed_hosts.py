"""How an operator names hosts that may be fetched from all the same."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from rushes.errors import SettingsError
from rushes.settings import Settings
from rushes.settings.hosts import AllowedHosts

SOMEWHERE = "10.9.9.9"


@pytest.mark.parametrize(
    ("text", "host", "port", "address", "let"),
    [
        ("media.internal", "media.internal", 80, SOMEWHERE, True),
        ("media.internal", "media.internal", 9000, SOMEWHERE, True),
        ("Media.Internal.", "media.internal", 443, SOMEWHERE, True),
        ("media.internal", "x.media.internal", 80, SOMEWHERE, False),
        ("media.internal:9000", "media.internal", 9000, SOMEWHERE, True),
        ("media.internal:9000", "media.internal", 80, SOMEWHERE, False),
        ("münchen.example", "xn--mnchen-3ya.example", 80, SOMEWHERE, True),
        ("10.0.0.0/8", "media.internal", 81, "10.1.2.3", True),
        ("10.0.0.0/8", "media.internal", 81, "11.1.2.3", False),
        ("10.0.0.5", "10.0.0.5", 80, "10.0.0.5", True),
        ("10.0.0.5", "media.internal", 80, "10.0.0.5", True),
        ("10.0.0.5:8000", "10.0.0.5", 8000, "10.0.0.5", True),
        ("10.0.0.5:8000", "10.0.0.5", 80, "10.0.0.5", False),
        ("fd12::/16", "x", 80, "fd12::7", True),
        ("fd12::7", "x", 80, "fd12::7", True),
        ("[fd12::7]:81", "x", 81, "fd12::7", True),
        ("[fd12::7]:81", "x", 80, "fd12::7", False),
        (" a.example , b.example:81 ,", "b.example", 81, SOMEWHERE, True),
        ("", "media.internal", 80, SOMEWHERE, False),
    ],
)
def test_entries(text: str, host: str, port: int, address: str, let: bool):  # noqa: FBT001  (a table's column)
    assert AllowedHosts.parse(text).lets(host, port, ip_address(address)) is let


@pytest.mark.parametrize(
    "entry",
    ["http://media.internal", "media.internal/films", "a b", "user@host", "10.0.0.0/33", "10.0.0.1/8", "host:99999",
     "host:0", "127.1", "0x7f000001", "2130706433", "*.internal", "[fd12::7", "host:80:81", "?", "#"],
)  # fmt: skip
def test_what_cannot_be_read_is_a_wrong_setting(entry: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RUSHES_ALLOWED_HOSTS", f"media.internal, {entry}")
    with pytest.raises(SettingsError) as wrong:
        Settings.load()
    assert "RUSHES_ALLOWED_HOSTS" in str(wrong.value)
    assert repr(entry) in str(wrong.value)
