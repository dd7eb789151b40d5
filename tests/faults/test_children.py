"""How a child that meets a bug is told, and that one answers whoever its parent is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rushes.children import Child, ChildDied

BUG = "from rushes.children import serve; serve(lambda message, say: message['number'] / 0)"
PARENT = """
import asyncio, os, sys
from rushes.children import Child

async def ask():
    echo = "from rushes.children import serve; serve(lambda message, say: say(heard=message['said']))"
    async with await Child.start([sys.executable, "-c", echo], name="the echo") as child:
        await child.send({"said": "hello"})
        print(os.getpid(), await child.receive())

asyncio.run(ask())
"""
NAMESPACE = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--fork", "--pid"]


async def test_a_bug_ends_a_child_with_its_own_words():
    async with await Child.start([sys.executable, "-c", BUG], name="the divider") as child:
        await child.send({"number": 1})
        with pytest.raises(ChildDied, match="the divider ended with 1: ZeroDivisionError: division by zero"):
            await child.receive()


def test_a_child_answers_a_parent_that_is_the_first_process_of_a_container():
    try:
        allowed = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare (util-linux)")
    if allowed.returncode:
        pytest.skip(f"the kernel gives no process numbers of one's own: {allowed.stderr.strip()}")

    ended = subprocess.run([*NAMESPACE, sys.executable, "-c", PARENT], capture_output=True, text=True, check=False)

    assert ended.stdout == "1 {'heard': 'hello'}\n", ended.stderr
