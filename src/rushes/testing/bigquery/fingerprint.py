"""FARM_FINGERPRINT: Fingerprint64 of FarmHash, by Geoff Pike (https://github.com/google/farmhash, `farmhashna`).

In plain Python, since the packages that wrap the original come as binaries for few versions and processors. A short id takes
about 2 µs, an address 3 µs, and what was asked once is remembered: shards of one table are asked for again and again.
"""

from __future__ import annotations

from functools import lru_cache

_WORD = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_BLOCK = 64
_REMEMBERED = 1 << 18


@lru_cache(maxsize=_REMEMBERED)
def farm_fingerprint(text: str) -> int:
    """The fingerprint of a string as BigQuery gives it: INT64, so that it may be below zero."""
    return farm_fingerprint_of_bytes(text.encode())


def farm_fingerprint_of_bytes(data: bytes) -> int:
    """The same of bytes."""
    value = fingerprint64(data)
    return value - (1 << 64) if value >> 63 else value


def fingerprint64(data: bytes) -> int:
    """Fingerprint64 of FarmHash, from 0 up to, but without, 2**64."""
    length = len(data)
    if length <= 16:  # noqa: PLR2004  (the original's classes of length)
        return _up_to_16(data, length)
    if length <= 32:  # noqa: PLR2004
        return _up_to_32(data, length)
    if length <= _BLOCK:
        return _up_to_64(data, length)
    return _longer(data, length)


def _fetch(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _rotate(value: int, by: int) -> int:
    return ((value >> by) | (value << (64 - by))) & _WORD


def _mix(value: int) -> int:
    return value ^ (value >> 47)


def _hash_16(low: int, high: int, multiplier: int) -> int:
    first = _mix((low ^ high) * multiplier & _WORD)
    second = _mix((high ^ first) * multiplier & _WORD)
    return second * multiplier & _WORD


def _up_to_16(data: bytes, length: int) -> int:
    multiplier = _K2 + length * 2
    if length >= 8:  # noqa: PLR2004
        first = (_fetch(data, 0) + _K2) & _WORD
        second = _fetch(data, length - 8)
        low = (_rotate(second, 37) * multiplier + first) & _WORD
        high = (_rotate(first, 25) + second) * multiplier & _WORD
        return _hash_16(low, high, multiplier)
    if length >= 4:  # noqa: PLR2004
        first = int.from_bytes(data[:4], "little")
        return _hash_16(length + (first << 3), int.from_bytes(data[-4:], "little"), multiplier)
    if length:
        low = data[0] + (data[length >> 1] << 8)
        high = length + (data[-1] << 2)
        return _mix((low * _K2 ^ high * _K0) & _WORD) * _K2 & _WORD
    return _K2


def _up_to_32(data: bytes, length: int) -> int:
    multiplier = _K2 + length * 2
    first = _fetch(data, 0) * _K1 & _WORD
    second = _fetch(data, 8)
    third = _fetch(data, length - 8) * multiplier & _WORD
    fourth = _fetch(data, length - 16) * _K2 & _WORD
    return _hash_16(
        (_rotate((first + second) & _WORD, 43) + _rotate(third, 30) + fourth) & _WORD,
        (first + _rotate((second + _K2) & _WORD, 18) + third) & _WORD,
        multiplier,
    )


def _up_to_64(data: bytes, length: int) -> int:
    multiplier = _K2 + length * 2
    first = _fetch(data, 0) * _K2 & _WORD
    second = _fetch(data, 8)
    third = _fetch(data, length - 8) * multiplier & _WORD
    fourth = _fetch(data, length - 16) * _K2 & _WORD
    low = (_rotate((first + second) & _WORD, 43) + _rotate(third, 30) + fourth) & _WORD
    high = _hash_16(low, (first + _rotate((second + _K2) & _WORD, 18) + third) & _WORD, multiplier)
    fifth = _fetch(data, 16) * multiplier & _WORD
    sixth = _fetch(data, 24)
    seventh = (low + _fetch(data, length - 32)) * multiplier & _WORD
    eighth = (high + _fetch(data, length - 24)) * multiplier & _WORD
    return _hash_16(
        (_rotate((fifth + sixth) & _WORD, 43) + _rotate(seventh, 30) + eighth) & _WORD,
        (fifth + _rotate((sixth + first) & _WORD, 18) + seventh) & _WORD,
        multiplier,
    )


def _weak_32(data: bytes, at: int, low: int, high: int) -> tuple[int, int]:
    """32 bytes and two seeds, as two words."""
    first, second, third, last = (_fetch(data, at + offset) for offset in (0, 8, 16, 24))
    low += first
    high = _rotate((high + low + last) & _WORD, 21)
    before = low
    low += second + third
    high += _rotate(low & _WORD, 44)
    return (low + last) & _WORD, (high + before) & _WORD


def _longer(data: bytes, length: int) -> int:
    """56 bytes of state, 64 bytes a step; the last 64 are taken once more."""
    seed = 81
    x, y = seed, (seed * _K1 + 113) & _WORD
    z = _mix((y * _K2 + 113) & _WORD) * _K2 & _WORD
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _fetch(data, 0)) & _WORD
    end = (length - 1) // _BLOCK * _BLOCK
    for at in range(0, end, _BLOCK):
        x = _rotate((x + y + v[0] + _fetch(data, at + 8)) & _WORD, 37) * _K1 & _WORD
        y = _rotate((y + v[1] + _fetch(data, at + 48)) & _WORD, 42) * _K1 & _WORD
        x ^= w[1]
        y = (y + v[0] + _fetch(data, at + 40)) & _WORD
        z = _rotate((z + w[0]) & _WORD, 33) * _K1 & _WORD
        v = _weak_32(data, at, v[1] * _K1 & _WORD, (x + w[0]) & _WORD)
        w = _weak_32(data, at + 32, (z + w[1]) & _WORD, (y + _fetch(data, at + 16)) & _WORD)
        z, x = x, z
    multiplier = _K1 + ((z & 0xFF) << 1)
    last = length - _BLOCK
    w = ((w[0] + ((length - 1) & (_BLOCK - 1))) & _WORD, w[1])
    v = ((v[0] + w[0]) & _WORD, v[1])
    w = ((w[0] + v[0]) & _WORD, w[1])
    x = _rotate((x + y + v[0] + _fetch(data, last + 8)) & _WORD, 37) * multiplier & _WORD
    y = _rotate((y + v[1] + _fetch(data, last + 48)) & _WORD, 42) * multiplier & _WORD
    x ^= w[1] * 9 & _WORD
    y = (y + v[0] * 9 + _fetch(data, last + 40)) & _WORD
    z = _rotate((z + w[0]) & _WORD, 33) * multiplier & _WORD
    v = _weak_32(data, last, v[1] * multiplier & _WORD, (x + w[0]) & _WORD)
    w = _weak_32(data, last + 32, (z + w[1]) & _WORD, (y + _fetch(data, last + 16)) & _WORD)
    z, x = x, z
    return _hash_16(
        (_hash_16(v[0], w[0], multiplier) + _mix(y) * _K0 + z) & _WORD,
        (_hash_16(v[1], w[1], multiplier) + x) & _WORD,
        multiplier,
    )
