"""gRPC kept out of the processes that a program starts: import this before anything that imports gRPC.

Stages start programs by fork and exec. In between gRPC's own handlers would run in the child and set its threads going
there, which meet closed files and abort: of a hundred programs started beside a busy channel, one died. gRPC reads the
variable when it is imported.
"""

from __future__ import annotations

import os

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
