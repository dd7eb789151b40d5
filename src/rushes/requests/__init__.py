"""Requests: what messages ask for, each known once under its own id, and what became of it."""

from rushes.requests.ledger import Answer, Beat, Ending, Ledger, Permit, Request
from rushes.requests.memory import LedgerInMemory

__all__ = ["Answer", "Beat", "Ending", "Ledger", "LedgerInMemory", "Permit", "Request"]
