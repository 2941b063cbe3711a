"""Compare a recorded GET through our client with the same GET through bare httpx.

Run it by hand: ``python tests/bench/bench_client.py [requests]``. Both clients talk to one local server in a
process of its own and take turns request by request, so that noise hits both alike. Prints the medians and their
ratio; the target is 1.2 at most.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from statistics import median

import httpx

from pytest_letta.client import Recorder, open_client

TARGET = 1.2
SIZES = {"small": 200, "agent": 18_000, "list": 1_000_000}


class Handler(BaseHTTPRequestHandler):
    """Answer with as many bytes as the path says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        body = b"x" * int(self.path.strip("/"))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


def serve(port: Connection) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        port.send(server.server_port)
        server.serve_forever()


def timed_get(client: httpx.Client, path: str) -> float:
    start = time.perf_counter()
    client.get(path).raise_for_status()
    return time.perf_counter() - start


def compare(url: str, path: str, count: int) -> tuple[float, float]:
    """Return the median seconds of a bare request and of a recorded one."""
    bare_s: list[float] = []
    ours_s: list[float] = []
    with httpx.Client(base_url=url, trust_env=False) as bare, open_client(url, "token", recorder=Recorder()) as ours:
        for number in range(count + 20):
            turns = [(bare, bare_s), (ours, ours_s)]
            for client, times in turns if number % 2 else reversed(turns):
                times.append(timed_get(client, path))
    return median(bare_s[20:]), median(ours_s[20:])


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    receiver, sender = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=serve, args=(sender,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{receiver.recv()}"
    worst = 0.0
    try:
        for name, size in SIZES.items():
            bare_s, ours_s = compare(url, f"/{size}", count if size < 100_000 else count // 4)
            worst = max(worst, ours_s / bare_s)
            print(
                f"{name:6} {size:>9,} bytes: bare {bare_s * 1e6:7.0f} us, recorded {ours_s * 1e6:7.0f} us, ", end=""
            )
            print(f"ratio {ours_s / bare_s:.3f}")
    finally:
        server.terminate()
        server.join()
    print(f"worst ratio {worst:.3f}, target {TARGET}: {'met' if worst <= TARGET else 'MISSED'}")
    return 0 if worst <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
