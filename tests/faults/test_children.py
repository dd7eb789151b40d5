"""How a child that meets a bug is told."""

from __future__ import annotations

import sys

import pytest

from rushes.children import Child, ChildDied

BUG = "from rushes.children import serve; serve(lambda message, say: message['number'] / 0)"


async def test_a_bug_ends_a_child_with_its_own_words():
    async with await Child.start([sys.executable, "-c", BUG], name="the divider") as child:
        await child.send({"number": 1})
        with pytest.raises(ChildDied, match="the divider ended with 1: ZeroDivisionError: division by zero"):
            await child.receive()
