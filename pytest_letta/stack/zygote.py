"""Run by Letta's own Python: imports the server once, then forks a new server process whenever it is told to.

Standard library only, and nothing of pytest_letta: that is not installed here.

Protocol, a JSON object per line. To us, on standard input: ``{"fork": {"arguments": [...], "pid_file": path, "log":
path, "database": uri or null}}`` and ``{"outlive": true}`` (go on without our owner). From us, on standard output:
``{"ready": reason}`` after the import (null when we can fork), ``{"forked": pid}`` or ``{"unfit": reason}``, and
``{"ended": pid, "code": n}``, negative for a signal. There may be several servers at a time. End of input means that
our owner is gone: the servers are killed and we end.

Why a server forked here is a server truly restarted: this process has imported the modules and done nothing else. It
has served no request, has no event loop, no thread but this one and no socket (`unfit_reason` looks before every
fork), so a child begins where ``letta server`` is after its imports. It has a new process id, makes its own event
loop, opens its own connections, and knows nothing that an earlier server learnt: that was in another child's memory.
Python reseeds `random` in a forked child. The import has read the URI of a database and connected to none, so a child
that is given another one connects there and nowhere else (`_connect_to`). What differs from ``letta server``, on
purpose, is in `_spare_waits`, and that a secure server without a given password keeps the random one made at import.
"""

import contextlib
import json
import os
import select
import signal
import sys
import threading
from typing import Any, TextIO

_SINGLE_THREADED = "OPENBLAS_NUM_THREADS"
_NLTK = "nltk"
_WATCHDOG = "letta.monitoring.event_loop_watchdog"


def main() -> Any:
    # What the import prints belongs to the log; our answers go to a descriptor that nobody else knows.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    wake = _wake_on_child_exit()
    import_server()
    _say(channel, ready=unfit_reason())
    arguments = fork_on_command(channel, wake)
    if arguments is None:
        os._exit(0)  # taking all those modules apart in order would cost a second, and nobody waits for it
    # From here on we are the child.
    channel.close()
    from letta.main import app  # type: ignore[import-not-found]

    sys.argv = [os.path.join(os.path.dirname(sys.executable), "letta"), *arguments]
    return app()


def import_server() -> None:
    """Import what ``letta server`` imports, and nothing else, without leaving a thread behind."""
    given = os.environ.get(_SINGLE_THREADED)
    os.environ[_SINGLE_THREADED] = "1"  # else numpy's OpenBLAS starts a thread for each further core
    from importlib import import_module

    for name in ("letta.main", "letta.server.rest_api.app"):
        import_module(name)
    for name in (_NLTK, _WATCHDOG):  # imported when the server starts; older ones do without them
        with contextlib.suppress(ImportError):
            import_module(name)

    if given is None:
        del os.environ[_SINGLE_THREADED]
    else:
        os.environ[_SINGLE_THREADED] = given


def unfit_reason() -> str | None:
    """Tell why a child of this process would not be a fresh server; None when it would."""
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else threading.active_count()
    if threads != 1:
        return f"{threads} threads run after the import"
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the descriptor of the listing itself
        if target.startswith("socket:") or "eventpoll" in target:
            return f"descriptor {name} is open after the import: {target}"
    return None


def fork_on_command(channel: TextIO, wake: int) -> list[str] | None:
    """Carry out commands; return the arguments of the server in each child, and None in this process at the end."""
    servers: set[int] = set()
    outlive = False
    commands = _Commands()
    while True:
        readable, _, _ = select.select([wake] if outlive else [wake, 0], [], [])
        if wake in readable:
            os.read(wake, 64)
            _report_ended(channel, servers)
            if outlive and not servers:
                return None
        if 0 not in readable:
            continue
        received = commands.read()
        if received is None:
            _kill(servers)
            return None
        for command in received:
            outlive = outlive or command.get("outlive", False)
            if "fork" in command and _fork(channel, servers, command["fork"], wake):
                arguments: list[str] = command["fork"]["arguments"]
                return arguments


class _Commands:
    """Reads commands from standard input as they come, in whatever pieces."""

    def __init__(self) -> None:
        self._pending = b""

    def read(self) -> list[dict[str, Any]] | None:
        """Return the commands that are whole; None at the end of input."""
        data = os.read(0, 65536)
        if not data:
            return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        return [json.loads(line) for line in lines]


def _fork(channel: TextIO, servers: set[int], command: dict[str, Any], wake: int) -> bool:
    """Add the id of a new server to `servers`, unless there must be none; tell whether this is the server itself."""
    reason = unfit_reason()
    if reason is not None:
        _say(channel, unfit=reason)
        return False
    server = os.fork()
    if server == 0:
        _become_child(command["pid_file"], command["log"], wake)
        if command["database"] is not None:
            _connect_to(command["database"])
        return True
    servers.add(server)
    _say(channel, forked=server)
    return False


def _become_child(pid_file: str, log: str, wake: int) -> None:
    os.setsid()
    with open(pid_file, "w") as file:
        file.write(f"{os.getpid()}\n")
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(wake)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # `random` does so by itself
    _spare_waits()


def _connect_to(database: str) -> None:
    """Have whatever the server connects to with SQLAlchemy be the database at that URI."""
    from sqlalchemy import event, make_url  # type: ignore[import-not-found]
    from sqlalchemy.engine import Engine  # type: ignore[import-not-found]

    os.environ["LETTA_PG_URI"] = database
    url = make_url(database)
    given = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}

    def lead(_: Any, __: Any, ___: Any, arguments: dict[str, Any]) -> None:
        arguments.update(given)
        arguments["dbname" if "dbname" in arguments else "database"] = url.database

    event.listen(Engine, "do_connect", lead)


def _spare_waits() -> None:
    """Take out two waits that lead to nothing, so that a restart takes half a second and not up to minutes.

    The server tries to download data for NLTK at each start: without a network, until that times out. At each
    orderly stop it blocks its event loop for 2 s, waiting for a watchdog thread that sleeps 5 s at a time and dies
    with the process anyway.
    """
    if _NLTK in sys.modules:
        sys.modules[_NLTK].download = lambda *_, **__: False  # type: ignore[attr-defined]
    watchdog = sys.modules.get(_WATCHDOG)
    if watchdog is not None:
        watchdog.EventLoopWatchdog.stop = _stop_without_waiting


def _stop_without_waiting(watchdog: Any) -> None:
    watchdog._monitoring = False
    watchdog._stop_event.set()


def _wake_on_child_exit() -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def _report_ended(channel: TextIO, servers: set[int]) -> None:
    """Take the exit codes of children that ended, so that no zombie stays, and their ids out of `servers`."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say(channel, ended=pid, code=os.waitstatus_to_exitcode(status))
        servers.discard(pid)


def _kill(servers: set[int]) -> None:
    for server in servers:
        for kill in (os.killpg, os.kill):  # the group first: the server's own children
            with contextlib.suppress(ProcessLookupError):
                kill(server, signal.SIGKILL)


def _say(channel: TextIO, **message: Any) -> None:
    with contextlib.suppress(OSError):  # the owner may be gone; the end of input tells us next
        channel.write(json.dumps(message) + "\n")
        channel.flush()


if __name__ == "__main__":
    sys.exit(main())
