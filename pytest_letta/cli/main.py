"""Entry of the console script: one module for each command, and one way for their errors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pytest_letta.cli import down, ps, up
from pytest_letta.cli.holding import Interrupted
from pytest_letta.errors import PytestLettaError, SettingsError

#: Each has ``NAME``, ``SUMMARY``, ``add_arguments`` and ``run``; the help lists them in this order.
COMMANDS = (up, ps, down)

_FAILED = 1
_USAGE = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (``None``: the command line) name; return the exit code.

    0: done; 1: something did not go; 2: the arguments are wrong; 130: interrupted.
    """
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except SettingsError as error:
        return _told(str(error), _USAGE)
    except PytestLettaError as error:
        return _told(str(error), _FAILED)
    except KeyboardInterrupt:
        return _told("interrupted.", _INTERRUPTED)
    except Interrupted as interruption:
        return _told("interrupted; what was started is ended.", interruption.code)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = argparse.ArgumentParser(
        prog="pytest-letta",
        description="Keep Letta stacks for `pytest --letta-url ...`: start one, see which there are, end them.",
        epilog="Exit codes: 0 done, 1 something did not go, 2 wrong arguments. "
        "Contracts and fixtures are part of pytest itself: see `pytest --help`, group letta.",
        allow_abbrev=False,
    )
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(command.NAME, help=command.SUMMARY, description=command.__doc__, allow_abbrev=False)
        command.add_arguments(one)
        one.set_defaults(run=command.run)
    return whole


def _told(text: str, code: int) -> int:
    print(f"pytest-letta: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
