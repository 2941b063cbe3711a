"""What a local stack costs beside a bare server: ``python tests/bench/bench_stack.py --cache FOLDER``.

Measured in one run, alternating, so that the load of the machine falls on both sides:

start
    a whole stack with a warm cache, from nothing to healthy, against ``letta server`` alone on the migrated database
    of a stack that runs already. Bound: 1.15.
restart
    of Letta, from the order to healthy, against the start of ``letta server`` alone. Bound: 0.2.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from pytest_letta.stack.local import LocalStack

_START_BOUND = 1.15
_RESTART_BOUND = 0.2


def seconds(action: Callable[..., object], *args: object, **kwargs: object) -> float:
    began = time.perf_counter()
    action(*args, **kwargs)
    return time.perf_counter() - began


def measure(cache_dir: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round by what was done."""
    with LocalStack(cache_dir=cache_dir):
        pass  # fills the cache, and the page cache
    took: dict[str, list[float]] = {"stack": [], "bare server": [], "restart": [], "kill and start": []}
    for _ in range(rounds):
        stack = LocalStack(cache_dir=cache_dir)
        took["stack"].append(seconds(stack.open))
        with stack:
            stack.stop("letta")
            took["bare server"].append(seconds(stack.restart, "letta", cold=True))
            stack.restart("letta")
            took["restart"].append(seconds(stack.restart, "letta"))
            stack.kill("letta")
            took["kill and start"].append(seconds(stack.start, "letta"))
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, required=True, help="cache folder, e.g. ~/.cache/pytest-letta")
    args = parser.parse_args()
    took = measure(args.cache, args.rounds)
    for name, values in took.items():
        print(f"{name:15} {median(values):6.2f} s   ({', '.join(f'{value:.2f}' for value in values)})")
    start = median(took["stack"]) / median(took["bare server"])
    restart = median(took["restart"]) / median(took["bare server"])
    print(f"start:   {start:.2f} x a bare server (bound {_START_BOUND})")
    print(f"restart: {restart:.3f} x a bare server (bound {_RESTART_BOUND})")
    return 0 if start <= _START_BOUND and restart <= _RESTART_BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
