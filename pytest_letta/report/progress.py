"""Shows what a long start is doing: a line that rewrites itself on a terminal, a line per step elsewhere."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import pytest

_REFRESH_S = 1.0


class ShownProgress(ABC):
    """Steps of a start, each shown with its duration once it ends; they may overlap and come from several threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._running: dict[str, float] = {}
        self._details: dict[str, str] = {}
        self._ticker: threading.Thread | None = None

    @contextmanager
    def step(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show `text` while the block runs, with the details that the block tells."""
        started = time.monotonic()
        with self._lock:
            self._running[text] = started
        self._show_running()
        try:
            yield partial(self._details.__setitem__, text)
        finally:
            with self._lock:
                self._running.pop(text, None)
                self._details.pop(text, None)
            self._show_line(f"letta: {text} ({time.monotonic() - started:.1f} s)")

    @abstractmethod
    def _rewrites(self) -> bool:
        """Tell whether a line can be written over, as on a terminal."""

    @abstractmethod
    def _write(self, text: str) -> None:
        """Show `text`, which may begin with a return to the start of the line."""

    def _show_running(self) -> None:
        if not self._rewrites():
            return
        with self._lock:
            if self._ticker is None or not self._ticker.is_alive():
                self._ticker = threading.Thread(target=self._tick, name="pytest-letta progress", daemon=True)
                self._ticker.start()

    def _tick(self) -> None:
        while True:
            with self._lock:
                running = dict(self._running)
                if not running:
                    self._ticker = None
                    return
                now = time.monotonic()
                told = ", ".join(self._told(text, now - since) for text, since in running.items())
                self._write(f"\rletta: {told}"[:100].ljust(100))
            time.sleep(_REFRESH_S)

    def _told(self, text: str, seconds: float) -> str:
        detail = self._details.get(text)
        return f"{text}{f' ({detail})' if detail else ''} {seconds:.0f} s"

    def _show_line(self, line: str) -> None:
        self._write(f"\r{line:<100}\n" if self._rewrites() else f"{line}\n")


class StreamProgress(ShownProgress):
    """Steps on a stream, such as standard error."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def _rewrites(self) -> bool:
        return self._stream.isatty()

    def _write(self, text: str) -> None:
        with self._lock:
            self._stream.write(text)
            self._stream.flush()


class TerminalProgress(ShownProgress):
    """Steps on pytest's terminal; nothing is shown under ``-q``."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__()
        self._config = config

    def _rewrites(self) -> bool:
        terminal = self._terminal()
        return terminal is not None and terminal.isatty()

    def _write(self, text: str) -> None:
        terminal = self._terminal()
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if terminal is None:
            return
        with self._lock:
            if capture is None:
                _print(terminal, text)
            else:
                with capture.global_and_fixture_disabled():
                    _print(terminal, text)

    def _terminal(self) -> pytest.TerminalReporter | None:
        terminal = self._config.pluginmanager.getplugin("terminalreporter")
        return terminal if terminal is not None and self._config.get_verbosity() >= 0 else None


def _print(terminal: pytest.TerminalReporter, text: str) -> None:
    terminal.ensure_newline()
    terminal.write(text, flush=True)
