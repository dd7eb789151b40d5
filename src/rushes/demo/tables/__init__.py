"""The demo of a table: a BigQuery on this machine, a table of talks, and a service that sums them up."""

from rushes.demo.tables.processor import TalkProcessor
from rushes.demo.tables.site import ITEMS, RESULTS, DemoTables

__all__ = ["ITEMS", "RESULTS", "DemoTables", "TalkProcessor"]
