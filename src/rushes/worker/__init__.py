"""The worker: claim, run, settle. One runtime for every source and every stage."""

from rushes.worker.bounds import Bounds
from rushes.worker.report import ExitReason, Report
from rushes.worker.runtime import Worker
from rushes.worker.signals import stopping_on_signals
from rushes.worker.slots import slots_of

__all__ = ["Bounds", "ExitReason", "Report", "Worker", "slots_of", "stopping_on_signals"]
