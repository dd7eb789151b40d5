"""Storage of artifacts: files that stages made, by name, with their hashes."""

from rushes.storage.local import LocalStorage, digest

__all__ = ["LocalStorage", "digest"]
