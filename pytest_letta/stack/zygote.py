"""Run by Letta's own Python: imports the server once, then forks a new server process whenever it is told to.

Standard library only, and nothing of pytest_letta: that is not installed here.

Protocol, a JSON object per line. To us on standard input: ``{"fork": {"arguments": [...], "pid_file": path, "log": path}}`` and
``{"outlive": true}`` (do not end with our owner). From us on standard output: ``{"ready": null | reason}`` after the
import, ``{"forked": pid}``, and ``{"ended": pid, "code": n}``, negative for a signal. End of input means that our
owner is gone: the server is killed and we end.

Why a server forked here is a server truly restarted: this process has imported the modules and done nothing else. It
has never served a request, has no event loop, no thread but this one, no socket (`unfit_reason` looks before every
fork), so a child begins where ``letta server`` is after its imports. It has a new process id, makes its own event
loop, opens its own connections, and knows nothing that an earlier server learnt: that was in another child's memory.
Python reseeds `random` in a forked child. Two things differ from ``letta server``, on purpose: the attempt to
download data for NLTK is answered with no at once, since without a network it would hold each start until it times
out; and a secure server without a given password keeps the random one made at import.
"""

import json
import os
import select
import signal
import sys
import threading

_SINGLE_THREADED = "OPENBLAS_NUM_THREADS"


def main() -> object:
    # What the import prints belongs to the log; our answers go to a descriptor that nobody else knows.
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    wake = _wake_on_child_exit()
    import_server()
    _say(channel, ready=unfit_reason())
    arguments = fork_on_command(channel, wake)
    if arguments is None:
        return None
    # From here on we are the child.
    channel.close()
    from letta.main import app

    sys.argv = [os.path.join(os.path.dirname(sys.executable), "letta"), *arguments]
    return app()


def import_server() -> None:
    """Import what ``letta server`` imports, and nothing else, without leaving a thread behind."""
    given = os.environ.get(_SINGLE_THREADED)
    os.environ[_SINGLE_THREADED] = "1"  # else numpy's OpenBLAS starts a thread for each further core
    import letta.main
    import letta.server.rest_api.app
    import nltk  # noqa: F401  the server imports it when it starts

    if given is None:
        del os.environ[_SINGLE_THREADED]
    else:
        os.environ[_SINGLE_THREADED] = given


def unfit_reason() -> "str | None":
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


def fork_on_command(channel, wake: int) -> "list[str] | None":
    """Carry out commands; return the arguments of the server in each child, and None in this process at the end."""
    server = 0
    pending = b""
    outlive = False
    while True:
        inputs = [wake] if outlive else [wake, 0]
        readable, _, _ = select.select(inputs, [], [])
        if wake in readable:
            os.read(wake, 64)
            server = _report_ended(channel, server)
            if outlive and not server:
                return None
        if 0 not in readable:
            continue
        data = os.read(0, 65536)
        if not data:
            _kill(server)
            return None
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            outlive = outlive or command.get("outlive", False)
            if "fork" not in command:
                continue
            reason = unfit_reason()
            if reason is not None:
                _say(channel, unfit=reason)
                continue
            server = os.fork()
            if server == 0:
                _become_child(command["fork"]["pid_file"], command["fork"]["log"], wake)
                return command["fork"]["arguments"]
            _say(channel, forked=server)


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
    import nltk

    nltk.download = lambda *_, **__: False
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _wake_on_child_exit() -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def _report_ended(channel, server: int) -> int:
    """Take the exit codes of children that ended, so that no zombie stays; return the server's id if it lives."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == 0:
            return server
        _say(channel, ended=pid, code=os.waitstatus_to_exitcode(status))
        server = 0 if pid == server else server


def _kill(server: int) -> None:
    if not server:
        return
    for kill in (os.killpg, os.kill):  # the group first: the server's own children
        try:
            kill(server, signal.SIGKILL)
        except ProcessLookupError:
            pass


def _say(channel, **message) -> None:
    try:
        channel.write(json.dumps(message) + "\n")
        channel.flush()
    except OSError:
        pass  # the owner is gone; the end of input tells us next


if __name__ == "__main__":
    sys.exit(main())
