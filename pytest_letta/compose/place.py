"""Where something stands in a file, and what was found there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; ``None`` when the line cannot be told."""

    file: Path
    line: int | None

    def __str__(self) -> str:
        return self.file.name if self.line is None else f"{self.file.name}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words that a stranger understands, and where. Never holds a secret."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def told(findings: Iterable[Finding]) -> str | None:
    """Return the findings as one text, a line each; ``None`` when there are none."""
    lines = list(dict.fromkeys(str(finding) for finding in findings))
    return "\n".join(lines) if lines else None
