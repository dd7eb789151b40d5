"""Every setting, once, in the groups that it belongs to.

From the environment (`RUSHES_…`, and names that earlier programs gave them), then a TOML file, then defaults.
"""

from rushes.settings.bigquery import BigQuerySettings
from rushes.settings.core import CoreSettings
from rushes.settings.durations import seconds
from rushes.settings.places import config_file, make_home
from rushes.settings.processor import ProcessorSettings
from rushes.settings.pubsub import PubSubSettings

__all__ = ["Settings", "config_file", "make_home", "seconds"]


class Settings(ProcessorSettings, PubSubSettings, BigQuerySettings, CoreSettings):
    """All settings. Durations are seconds, `90m`, `12h`, `30d`, or ISO 8601."""
