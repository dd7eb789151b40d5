"""PostgreSQL: the embedded server or the user's own, one pool, the schema's version.

`open_database(settings)` is the way in. Nothing else of this room is needed to work with the queue.
"""

from rushes.database.access import LOST, Database, open_database, reach
from rushes.database.url import Address
from rushes.database.values import storable

__all__ = ["LOST", "Address", "Database", "open_database", "reach", "storable"]
