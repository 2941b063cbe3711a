"""What happens to a server between two operations, and in the midst of one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from pytest_letta import could_not_run, must
from pytest_letta.conformance.checks import status
from pytest_letta.llm import call_tool, say
from pytest_letta.oracle import Memory, Message

from .rows import row_differences
from .turns import TEXT, open_runs, wait_until_asked
from .world import World, answer, tool_turn

_HOLD_S = 30.0
_RETURN_LIMIT_S = 30.0
_PAUSE_S = 0.2


class DisturbedWorld(World):
    """A world whose services end, hang and come back. After each the server is up, and all of it is compared."""

    def restart(self, service: str) -> None:
        """Stop a service in order and start it."""
        self.tools.stack.restart(service)
        self._is_back()

    def crash(self, service: str) -> None:
        """End a service with SIGKILL and start it."""
        self.tools.stack.kill(service)
        self.tools.stack.start(service)
        self._is_back()

    def pause_during_edit(self, agent: str, label: str, value: str) -> None:
        """Freeze the server, send it an edit, and let it go on: the edit is done then."""
        with ThreadPoolExecutor(1) as pool:
            self.tools.stack.pause("letta")
            try:
                edit = pool.submit(self.edit_block, agent, label, value, by_id=False)
                time.sleep(_PAUSE_S)
            finally:
                self.tools.stack.resume("letta")
            edit.result()

    def crash_in_turn(self, agent: str, *, mode: str, label: str | None = None, line: str = "") -> None:
        """Kill the server while the model is asked; with a `label`, after it had added `line` to that block.

        Each step of the turn is there whole or not at all then: nothing, the finished step, or all of it.
        """
        self.settle(agent)
        steps = [] if label is None else [call_tool("memory_insert", {"label": label, "new_string": line})]
        script = self.tools.llm.script(*steps, say("Too late.", hold_s=_HOLD_S))
        sent = script.prompt(TEXT)
        with self._under_way(agent, sent, mode) as turn:
            wait_until_asked(self.tools.llm, script, turn, len(steps) + 1)
            self.tools.stack.kill("letta")
        self.tools.stack.start("letta")
        self._choose(agent, self._possible(agent, sent, label, line))
        self._is_back()
        if "MEM-CRASH-004" not in self.tools.known:
            must(open_runs(self.tools.client, agent, _RETURN_LIMIT_S))

    def _possible(self, agent: str, sent: str, label: str | None, line: str) -> list[Memory]:
        before = self.memory
        if label is None:
            return [before, before.say(agent, Message("user_message", sent), answer("Too late."))]
        block = before.block_id(agent, label)
        step = before.insert_into_block(block, line).say(agent, *tool_turn(sent, "memory_insert"))
        return [before, step, step.say(agent, answer("Too late."))]

    def _choose(self, agent: str, possible: list[Memory]) -> None:
        """Go on with the one that came true; the nearest to it, when none did."""
        differences = [self.differences(memory, {agent}) for memory in possible]
        nearest = min(range(len(possible)), key=lambda number: len(differences[number]))
        self.memory = possible[nearest]
        text = "\n".join(differences[nearest])
        must(f"a turn that was under way at SIGKILL is there in part:\n{text}" if text else None)

    @contextmanager
    def _under_way(self, agent: str, text: str, mode: str) -> Iterator[Future[Any]]:
        """Have a turn whose end nobody expects: the connection may break."""
        with ThreadPoolExecutor(1) as pool:
            turn = pool.submit(self.turn, agent, text, mode)
            yield turn
            error = turn.exception()
            if error is None and mode != "async":
                could_not_run("the turn ended before the server was killed")
            if error is not None and not isinstance(error, httpx.TransportError):
                raise error

    def _is_back(self) -> None:
        """Wait until the server serves data again, and compare all of it."""
        deadline = time.monotonic() + _RETURN_LIMIT_S
        while (answer := self.tools.client.get("/v1/agents/", params={"limit": 1})).status_code != 200:
            must(status(answer) if time.monotonic() > deadline else None)
            time.sleep(0.1)
        self.check(everything=True)

    def check(self, *, everything: bool = False) -> None:
        super().check(everything=everything)
        if everything and self.tools.stack.can("query"):
            must("\n".join(row_differences(self.tools.stack, self.memory)) or None)
