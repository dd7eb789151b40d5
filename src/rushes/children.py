"""Child processes that can be killed for sure.

Work that blocks or burns a core runs in a child: its own process group, its task on stdin (never in arguments, which
anybody on the machine can read), messages as JSON lines on stdout. It is asked by SIGTERM, after the grace told by
SIGKILL, and dies with its parent however that one died: its stdin is a lifeline that closes with the parent.
"""
