"""What docs/proxies.md says: configurations of nginx, and the contracts that each of them breaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "proxies.md"
#: How many of its words name a directive of which there may be several.
_NAMED_BY = {"proxy_set_header": 2, "add_header": 2, "location": 3}
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Broken:
    """A row: these contracts fail, each with a finding that has one of the `cures` in it.

    A contract that is written without a case fails in some of its cases.
    """

    contracts: tuple[str, ...]
    cures: tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """Directives in the place of others of their name, or besides, or one that is left out, as in ``no gzip``."""

    directives: tuple[str, ...]

    def made_in(self, server: str) -> str:
        """Return the block ``server`` with the mistake in it."""
        for directive in self.directives:
            without = directive.removeprefix("no ")
            own = _own(without)
            if directive != without:
                assert own.search(server), f"the configuration has no {without}"
                server = own.sub("", server)
            elif own.search(server):
                server = own.sub(lambda found, line=directive: f"    {line}\n", server)
            else:
                server = server.replace("location / {\n", f"location / {{\n        {directive}\n")
        return server


def _own(directive: str) -> re.Pattern[str]:
    """Return what finds the line, or the block, that the configuration has where `directive` is to be."""
    words = directive.rstrip(";").split()
    same = re.escape(" ".join(words[: _NAMED_BY.get(words[0], 1)]))
    return re.compile(rf"^ *{same} (?:[^{{\n]*|{{\n(?:.*\n)*?    }})\n", re.MULTILINE)


def configuration(name: str) -> str:
    """Return the block of code after the comment ``<!-- name -->``."""
    found = re.search(rf"<!-- {name} -->\n+```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, f"the page has no configuration {name}"
    return found[1]


def broken_by(name: str) -> list[Broken]:
    """Return what the table after the comment ``<!-- name -->`` says of one configuration."""
    return [Broken(_codes(contracts), _codes(cures)) for contracts, _, cures in _rows(name)]


def mistakes() -> list[tuple[Mistake, Broken]]:
    """Return what the table of single mistakes in the configuration that passes says."""
    return [
        (Mistake(_codes(directives)), Broken(_codes(contracts), _codes(cures)))
        for directives, _, contracts, cures in _rows("mistakes")
    ]


def _rows(name: str) -> list[list[str]]:
    found = re.search(rf"<!-- {name} -->\n+((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"))
    assert found is not None, f"the page has no table {name}"
    return [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in found[1].splitlines()[2:]]


def _codes(cell: str) -> tuple[str, ...]:
    return tuple(_CODE.findall(cell))
