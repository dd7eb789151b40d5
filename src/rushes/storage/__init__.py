"""Storage of artifacts: files that stages made, by name, with their hashes, and what is known of them without a database."""

from rushes.storage.local import LocalStorage, digest
from rushes.storage.manifests import Manifests

__all__ = ["LocalStorage", "Manifests", "digest"]
