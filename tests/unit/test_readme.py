"""The README's table of options is the OPTIONS table."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_letta.options import OPTIONS

README = Path(__file__).parents[2] / "README.md"


def options_table() -> str:
    rows = []
    for option in OPTIONS:
        flag = option.flag if option.is_switch else f"{option.flag} {option.metavar}"
        default = "" if option.default in (None, (), False) else f" Default: {option.default}."
        rows.append(f"| `{flag}` | {option.help}{default} |")
    return "\n".join(["| option | |", "|---|---|", *rows])


def test_the_options_table_is_current() -> None:
    found = re.search(r"<!-- options -->\n(.*?)\n?<!-- /options -->", README.read_text(), re.DOTALL)
    assert found is not None

    assert found[1] == options_table()
