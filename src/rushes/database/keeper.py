"""The keeper: a tiny process that waits until the last user of an embedded server is gone, and then stops it.

Every user holds a shared lock on `users`. The keeper waits for the exclusive one, which the kernel grants when the last
user has ended, also by SIGKILL. While it holds that lock and stops the server, a new user waits for its shared lock, and
then starts the server anew; so nobody is ever given a server that is on its way down.

Run as a script by `python -I -S`, with the standard library alone: it stays for as long as the server does.
Arguments: descriptors of `users`, `keeper` (already locked: there is one keeper) and `server`; `postmaster.pid`; uid, gid.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time

POLL = 0.01
ASK_AGAIN = 100
"""Polls between two signals: one that came before the server listened to signals may be lost."""


def main(users: int, keeper: int, server: int, pid_file: str, uid: int, gid: int) -> None:
    if os.geteuid() != uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    fcntl.flock(users, fcntl.LOCK_EX)
    stop(server, pid_file)
    # The keeper's lock goes first: whoever gets in by `users` must find it free, or they would start no keeper.
    os.close(keeper)
    os.close(users)


def stop(server: int, pid_file: str) -> None:
    """Ask for a fast shutdown (SIGINT) until no process of the server holds its lock."""
    polls = 0
    while not stopped(server):
        if polls % ASK_AGAIN == 0 and not ask(pid_file):
            polls -= 1  # it has only just been started: its pid comes in a moment
        polls += 1
        time.sleep(POLL)


def stopped(server: int) -> bool:
    try:
        fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ask(pid_file: str) -> bool:
    with contextlib.suppress(OSError, ValueError), open(pid_file, encoding="utf-8") as file:  # noqa: PTH123  (pathlib costs memory)
        os.kill(int(file.readline()), signal.SIGINT)
        return True
    return False


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
