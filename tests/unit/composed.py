"""Makes compose files out of texts that are written as compose prints them, with no engine and no plugin."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import yaml

from pytest_letta.compose.file import ComposeFile, Source
from pytest_letta.compose.positions import Positions
from pytest_letta.compose.reading import has_compose

needs_compose = pytest.mark.skipif(not has_compose(), reason="the plugin `docker compose` is not installed")


def composed(text: str, path: Path = Path("compose.yml"), **roles: str) -> ComposeFile:
    """Return the file with that text; `roles` are letta="letta" unless given."""
    clean = textwrap.dedent(text)
    return ComposeFile(path, yaml.safe_load(clean), (Source(path, Positions(clean)),), roles or {"letta": "letta"})
