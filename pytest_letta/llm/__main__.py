"""Run the scripted model alone: ``python -m pytest_letta.llm --host 0.0.0.0 --port 8000``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from pytest_letta.errors import PytestLettaError
from pytest_letta.llm.server import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Print the setting for Letta on stdout, a line a request on stderr.

    Returns the exit code: 0 after a signal, 1 where the address cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="python -m pytest_letta.llm", description="Serve a scripted OpenAI-compatible model."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port, 0 for a free one (default: %(default)s)")
    options = parser.parse_args(arguments)
    # Blocked here and so in each thread that starts later: the signal waits until sigwait takes it.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        with serve(options.host, options.port, log=_log) as server:
            print(f"OPENAI_API_BASE={server.base_url}", flush=True)
            signal.sigwait(ends)
    except PytestLettaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
