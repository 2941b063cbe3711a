"""The user that Postgres runs as: it refuses to run as root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

from pytest_letta.errors import StackError

_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine, by ids."""

    name: str
    uid: int
    gid: int


def account_for_postgres() -> Account | None:
    """Return the user for Postgres, or ``None`` when we can run it ourselves; raise StackError when there is none."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return Account(name, found.pw_uid, found.pw_gid)
    raise StackError(
        f"Postgres refuses to run as root, and there is no user called {' or '.join(_CANDIDATES)}: "
        "add one (useradd --system postgres) or run pytest as an ordinary user."
    )
