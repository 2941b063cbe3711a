"""What an entry of a list in a compose file is like, in its short form and in its long one."""

from __future__ import annotations

import re
from typing import Any

from pytest_letta.compose.positions import Likeness


def mounting(target: str) -> Likeness:
    """Return what an entry under ``volumes`` with that path inside of the container is like."""

    def is_like(item: Any) -> bool:
        return item.get("target") == target if isinstance(item, dict) else target in str(item).split(":")

    return is_like


def publishing(target: int) -> Likeness:
    """Return what an entry under ``ports`` that publishes that port of the container is like."""

    def is_like(item: Any) -> bool:
        if isinstance(item, dict):
            return str(item.get("target")) == str(target)
        last = re.search(r"(\d+)(?:-(\d+))?(?:/\w+)?$", str(item))
        return last is not None and int(last[1]) <= target <= int(last[2] or last[1])

    return is_like
