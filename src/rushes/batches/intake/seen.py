"""Which keys came before, and where, in 30 to 50 bytes a key.

A dictionary of Python objects takes 150 to 200 bytes a key, all that a list of a million lines is allowed. This is the same
thing in three flat arrays: digests and places in the order they came, and a hash table of their numbers.
"""

from __future__ import annotations

import hashlib
from array import array

_DIGEST = 16
"""Bytes. Two of a million million keys share 128 bits with a probability of 10^-15."""


class Seen:
    """Remembers for each key the place where it first stood."""

    def __init__(self) -> None:
        self._digests = bytearray()
        self._places = array("Q")
        self._slots = array("I", bytes(4 * 1024))
        self._mask = len(self._slots) - 1
        # Two thirds full, a search takes three steps; beyond that it grows fast.
        self._room = 2 * len(self._slots) // 3

    def __len__(self) -> int:
        return len(self._places)

    def add(self, key: str, place: int) -> int | None:
        """Return the place where the key stood before, or remember this one."""
        digest = hashlib.blake2b(key.encode(), digest_size=_DIGEST).digest()
        slots, mask = self._slots, self._mask
        slot = hash(digest) & mask
        while entry := slots[slot]:
            if self._digests[(entry - 1) * _DIGEST : entry * _DIGEST] == digest:
                return self._places[entry - 1]
            slot = (slot + 1) & mask
        self._digests += digest
        self._places.append(place)
        slots[slot] = count = len(self._places)
        if count == self._room:
            self._grow()
        return None

    def _grow(self) -> None:
        slots = array("I", bytes(self._slots.itemsize * 2 * len(self._slots)))
        mask = len(slots) - 1
        for start in range(0, len(self._digests), _DIGEST):
            slot = hash(bytes(self._digests[start : start + _DIGEST])) & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = start // _DIGEST + 1
        self._slots, self._mask, self._room = slots, mask, 2 * len(slots) // 3
