"""The worker: claim, run, settle. One runtime for every source and every stage."""

from rushes.worker.bounds import Bounds
from rushes.worker.report import ExitReason, Report
from rushes.worker.runtime import Worker

__all__ = ["Bounds", "ExitReason", "Report", "Worker"]
