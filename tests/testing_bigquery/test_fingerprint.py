"""FARM_FINGERPRINT is FarmHash's Fingerprint64: shards here are the shards of the service."""

from __future__ import annotations

import hashlib
import struct

import pytest

from rushes.testing.bigquery.fingerprint import farm_fingerprint, farm_fingerprint_of_bytes, fingerprint64

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789/:.?&=%-_~"
OF_ALL_LENGTHS = "95db149a08c6f94344b028ec43f9c3ef7f8170a9e86588081f86b3d53cb9ac33"
"""SHA-256 of the fingerprints of `text(0)` to `text(2048)`, from pyfarmhash 0.5.1, which wraps the original."""


def text(length: int) -> str:
    return "".join(LETTERS[(at * 7 + length * 13 + at * at * 3) % len(LETTERS)] for at in range(length))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # From the function's page, https://cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions
        ("1footrue", -1541654101129638711),
        ("2applefalse", 2794438866806483259),
        ("3true", -4880158226897771312),
        # From pyfarmhash
        ("", -7286425919675154353),
        ("a", -5528939962900187677),
        ("abc", 2640714258260161385),
        ("abcdefg", 4341691227789030229),
        ("abcdefgh", -78300442537744119),
        ("video-0001234567", -5464969441343102958),
        ("https://example.org", -5911567184008490032),
        ("https://example.org/videos/2024/01/talk-about-tides.mp4", 1934415712043555977),
        ("x" * 64, 6916188127298655160),
        ("x" * 65, 4935023790501551929),
        ("x" * 128, 5868382771906808855),
        ("x" * 129, -653596692693254474),
        ("日本語のテキスト", 3319086538622314836),
    ],
)
def test_known_strings_have_their_fingerprints(value, expected):
    assert farm_fingerprint(value) == expected
    assert farm_fingerprint_of_bytes(value.encode()) == expected


def test_strings_of_all_lengths_have_their_fingerprints():
    every = b"".join(struct.pack("<Q", fingerprint64(text(length).encode())) for length in range(2049))
    assert hashlib.sha256(every).hexdigest() == OF_ALL_LENGTHS
