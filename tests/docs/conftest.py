from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from .pages import ROOT


@pytest.fixture(scope="session")
def generate() -> ModuleType:
    """The script that writes the reference."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
