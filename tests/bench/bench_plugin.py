"""Times a pytest run of one empty test with the plugin and without, in turns; prints the medians."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 30


def run(folder: Path, *args: str) -> float:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args]
    started = time.perf_counter()
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text("def test_it(): pass\n")
        pairs = [(run(folder), run(folder, "-p", "pytest_letta.plugin")) for _ in range(ROUNDS)]
    bare, loaded = (statistics.median(times) for times in zip(*pairs, strict=True))
    difference = statistics.median(second - first for first, second in pairs)
    print(f"bare {bare * 1000:.1f} ms, with the plugin {loaded * 1000:.1f} ms")
    print(f"median difference {difference * 1000:.1f} ms (bound: 10 ms)")


if __name__ == "__main__":
    main()
