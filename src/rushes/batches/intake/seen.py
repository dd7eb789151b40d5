"""Which keys came before, and where, in 30 to 50 bytes a key.

A dictionary of Python objects takes 150 to 200 bytes a key, all that a list of a million lines is allowed (decisions,
11). This is the same thing in three flat arrays: digests and places in the order they came, and a hash table of their
numbers.
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

    def __len__(self) -> int:
        return len(self._places)

    def add(self, key: str, place: int) -> int | None:
        """Return the place where the key stood before, or remember this one."""
        digest = hashlib.blake2b(key.encode(), digest_size=_DIGEST).digest()
        slots, mask = self._slots, len(self._slots) - 1
        slot = int.from_bytes(digest[:8], "little") & mask
        while entry := slots[slot]:
            if self._digests[(entry - 1) * _DIGEST : entry * _DIGEST] == digest:
                return self._places[entry - 1]
            slot = (slot + 1) & mask
        self._digests += digest
        self._places.append(place)
        slots[slot] = len(self._places)
        # Two thirds full, a search takes three steps; beyond that it grows fast.
        if 3 * len(self._places) > 2 * len(slots):
            self._grow()
        return None

    def _grow(self) -> None:
        slots = array("I", bytes(self._slots.itemsize * 2 * len(self._slots)))
        mask = len(slots) - 1
        for start in range(0, len(self._digests), _DIGEST):
            slot = int.from_bytes(self._digests[start : start + 8], "little") & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = start // _DIGEST + 1
        self._slots = slots
