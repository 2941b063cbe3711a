"""What a run that uses the plugin sets up: the session, the contract suites, the stack's owner under xdist."""

from __future__ import annotations

import secrets
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.conformance.judging import Judging
from pytest_letta.conformance.suites import chosen_suites, contracts_dir
from pytest_letta.conformance.summary import Summary
from pytest_letta.report.progress import TerminalProgress
from pytest_letta.session import SESSION, LettaSession, stack_opener
from pytest_letta.stack import requirements
from pytest_letta.stack.hosting import HostAddress, StackHost
from pytest_letta.turns import Turns

if TYPE_CHECKING:
    from pytest_letta.settings import Settings

_CONTRACTS = contracts_dir()
_EXIT_TERMINATED = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """The run was told to end by SIGTERM.

    No Exception, which ``pytest.exit`` raises: what tries a test again when it fails, as Hypothesis does, lets go.
    """


class Running:
    """Everything of one run in one process; `close` undoes it.

    Under xdist the controller owns the stack and each worker calls it through a socket; what a worker needs
    for that comes in its ``workerinput``.
    """

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        given: dict[str, Any] | None = getattr(config, "workerinput", {}).get("letta")
        self._is_worker = hasattr(config, "workerinput")
        requirements.check(settings.stack, settings.version)
        self._host: StackHost | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._progress = TerminalProgress(config)
        self.session = config.stash[SESSION] = LettaSession(
            settings,
            run_id=given["run_id"] if given else secrets.token_hex(4),
            turns=Turns(Path(given["folder"]) if given else None),
            progress=self._progress,
            host=HostAddress(*given["host"]) if given and given["host"] else None,
        )
        self._summary: Summary | None = None
        self._suites: tuple[str, ...] = ()
        self._read_compose_file()
        if settings.contracts:
            self._add_contracts()
        config.pluginmanager.register(self, "letta-running")
        self._is_terminated = False
        self._previous_sigterm: Any = None
        if not self._is_worker and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._previous_sigterm = signal.signal(signal.SIGTERM, _end_in_order)

    def _read_compose_file(self) -> None:
        """Read the compose file before anything else, so that what is wrong with it ends the run at once.

        A server that it secures is asked with the password that it is given there, unless another one was named.
        """
        if self._settings.stack != "compose":
            _ = None if self._is_worker else self.session.compose_file
            return
        from pytest_letta.compose.isolation import refuse
        from pytest_letta.compose.roles import left_out
        from pytest_letta.compose.server import password_of

        file = self.session.compose_file
        assert file is not None
        refuse(file, left_out(self._settings.compose_service))
        if self._settings.token is None and (password := password_of(file)) is not None:
            sources = {**self._settings.sources, "token": str(self._settings.compose)}
            self._settings = self.session.settings = replace(self._settings, token=password, sources=sources)

    def _add_contracts(self) -> None:
        """Add the suites to what pytest collects, and the verdicts to what it reports."""
        self._suites = chosen_suites(self._settings.suite, has_file=self._settings.compose is not None)
        if str(_CONTRACTS) not in self._config.args:
            self._config.args.append(str(_CONTRACTS))
        self._config.pluginmanager.register(Judging(self.session), "letta-judging")
        if not self._is_worker and not self._config.getoption("collectonly"):
            self._summary = Summary(self.session)
            self._config.pluginmanager.register(self._summary, "letta-summary")

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out the suites that were not asked for; reach the others inside a virtual environment.

        pytest does not look into the environment of a project. The way down to our suites is opened, and
        nothing beside it.
        """
        if not self._suites:
            return None
        if collection_path.parent == _CONTRACTS:
            return collection_path.is_dir() and collection_path.name not in self._suites
        environment = Path(sys.prefix)
        if environment not in _CONTRACTS.parents or not collection_path.is_relative_to(environment):
            return None
        if _CONTRACTS.is_relative_to(collection_path):
            return False
        is_beside_the_way = collection_path.parent in _CONTRACTS.parents
        return True if is_beside_the_way and not self._is_named(collection_path) else None

    def _is_named(self, path: Path) -> bool:
        """Tell whether the command line names `path` or something in it."""
        return any(Path(arg.split("::")[0]).absolute().is_relative_to(path) for arg in self._config.args)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        """Collect contracts whatever ``python_files`` the project has set."""
        if _CONTRACTS not in file_path.parents or not file_path.match("test_*.py"):
            return None
        if any(file_path.match(pattern) for pattern in self._config.getini("python_files")):
            return None
        return pytest.Module.from_parent(parent, path=file_path)

    def check_target(self) -> None:
        """Reach a deployment that exists, or the engine that is to run one, before anything is collected.

        Raises TargetError or EngineError when it cannot be reached.
        """
        if self._is_worker:
            return
        if self._settings.stack in {"docker", "compose"}:
            from pytest_letta.stack.containers.engine import Engine

            Engine.connect().close()
        if self._settings.contracts and self._settings.url:
            from pytest_letta.sweep import sweep_old_runs

            deployment = self.session.deployment({})
            sweep_old_runs(deployment, self.session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker that is about to start how to reach what it shares with the others."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="pytest-letta-turns-")
            if self._settings.stack != "none":
                self._host = StackHost(stack_opener(self._settings, self._progress))
        host = self._host and (self._host.address.socket, self._host.address.key)
        node.workerinput["letta"] = {
            "run_id": secrets.token_hex(4),  # each counts its names from one
            "folder": self._folder.name,
            "host": host,
        }

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._is_terminated = isinstance(excinfo.value, Terminated)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Bring what this process knows of the target to where the summary is; set the exit code of SIGTERM."""
        from pytest_letta.target import describe

        if self._is_terminated:
            session.exitstatus = _EXIT_TERMINATED
        deployment = self.session.deployment_if_probed
        said = {
            "target": describe(deployment) if deployment else None,
            "leftovers": list(self.session.leftovers),
            "requests": self.session.recorder.mark(),
        }
        if self._is_worker:
            self._config.workeroutput["letta"] = said  # type: ignore[attr-defined]
        elif self._summary is not None:
            self._summary.add_target(said)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker could not remove; with contracts the summary does so."""
        said = getattr(node, "workeroutput", {}).get("letta")
        if said is not None and self._summary is None:
            self.session.leftovers += said["leftovers"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what stays behind: a stack that is to be kept, and, without a summary of contracts, leftovers."""
        hint = (self._host or self.session).kept_hint
        if hint is not None:
            terminalreporter.line(f"letta: {hint}")
        if self._summary is None:
            for leftover in self.session.leftovers:
                terminalreporter.line(f"letta: left behind: {leftover}", yellow=True)

    def close(self) -> None:
        self.session.close()
        if self._host is not None:
            self._host.close()
        if self._folder is not None:
            self._folder.cleanup()
        if self._previous_sigterm is not None:
            signal.signal(signal.SIGTERM, self._previous_sigterm)


def _end_in_order(signum: int, frame: Any) -> None:
    """End the run as Ctrl-C does, so that the stack is reaped."""
    raise Terminated("terminated by SIGTERM")
