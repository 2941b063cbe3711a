"""Runs Hypothesis state machines as contracts: how many sequences, from which seed, and what repeats a failure."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from pytest_letta.conformance.judging import SEED
from pytest_letta.errors import MissingExtraError
from pytest_letta.options import THOROUGH

if TYPE_CHECKING:
    from hypothesis import settings
    from hypothesis.stateful import RuleBasedStateMachine

    from pytest_letta.client import Recorder

#: How many times as much the thorough profile does.
_MORE_SEQUENCES = 25
_MORE_STEPS = 3
_MORE_TRIES = 10


def register_profile() -> None:
    """Make the thorough profile known to Hypothesis."""
    from hypothesis import settings

    settings.register_profile(THOROUGH, deadline=None)


def is_thorough() -> bool:
    """Tell whether the run is to try as much as it can."""
    from hypothesis import settings

    return settings.get_current_profile_name() == THOROUGH


def seed_for(item: pytest.Item) -> int:
    """Return the seed of a test: that of its name, unless the run asks for another."""
    given = item.config.getoption("hypothesis_seed", default=None)
    if given is not None and str(given).isdigit():
        return int(given)
    if given is not None or is_thorough():
        import secrets

        return secrets.randbits(32)
    return zlib.crc32(item.name.encode())


class Sequences:
    """The sequences of one test, `item`.

    A test has the same sequences in every run, so that a gate goes red for what got worse and for nothing else:
    the seed is made of the test's name. The thorough profile, and --hypothesis-seed, choose others.
    Raises MissingExtraError without Hypothesis.
    """

    def __init__(self, item: pytest.Item, recorder: Recorder) -> None:
        if find_spec("hypothesis") is None:
            raise MissingExtraError.of("contracts", "a contract of random sequences", "hypothesis")
        self._item = item
        self._recorder = recorder

    def run(
        self, machine: Callable[[], RuleBasedStateMachine], *, examples: int, steps: int, tries: int = 25
    ) -> None:
        """Run `examples` sequences of up to `steps` steps; raise what the shortest failing one raised.

        Each sequence starts with a new `machine`. The shortest one is looked for with as many `tries`, because
        each is a run on a server. The seed goes into the report; the number of sequences, and of the commands that
        were given to the services meanwhile, into JUnit's properties.
        """
        from hypothesis import seed
        from hypothesis.stateful import run_state_machine_as_test

        has_more = is_thorough()
        number = seed_for(self._item)
        self._item.stash[SEED] = f"{number} (again with --hypothesis-seed={number})"
        shortening = _Shortening(tries * (_MORE_TRIES if has_more else 1))
        commands_before = self._recorder.commands

        @seed(number)
        def begin() -> RuleBasedStateMachine:
            shortening.stop_if_enough()
            begun = shortening.watch(machine())
            # The last sequence that is run is the shortest one that fails: it alone is to be repeated.
            self._recorder.start_afresh()
            return begun

        try:
            with no_constants():
                run_state_machine_as_test(
                    begin,  # type: ignore[arg-type]
                    settings=_settings(
                        examples * (_MORE_SEQUENCES if has_more else 1), steps * (_MORE_STEPS if has_more else 1)
                    ),
                )
        finally:
            commands = self._recorder.commands - commands_before
            self._item.user_properties += [("letta_sequences", shortening.begun), ("letta_commands", commands)]


@contextmanager
def no_constants() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it finds in modules.

    They are those of whatever the process has loaded, so that the same seed gives other sequences in another project.
    """
    from unittest.mock import patch

    from hypothesis.internal.conjecture.providers import HypothesisProvider

    with patch.object(HypothesisProvider, "_maybe_draw_constant", lambda *_, **__: None):
        yield


def _settings(examples: int, steps: int) -> settings:
    """Return settings for sequences on a server: slow, and told by the report and not by Hypothesis's own files."""
    from hypothesis import HealthCheck, Phase, settings

    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


class _Shortening:
    """Bounds the search for a shorter sequence: Hypothesis itself would go on for five minutes.

    `begun` counts the sequences that were watched.
    """

    def __init__(self, tries: int) -> None:
        self.begun = 0
        self._tries_left = tries
        self._has_failed = False

    def stop_if_enough(self) -> None:
        """End a further try before it begins when enough were made, but never the last run, which tells all."""
        from hypothesis.control import current_build_context

        context = current_build_context()
        if not self._has_failed or context.is_final:
            return
        self._tries_left -= 1
        if self._tries_left < 0:
            # As one whose data ran out: Hypothesis concludes nothing from that. A rejection would be taken for an
            # answer that is not always the same.
            context.data.mark_overrun()

    def watch(self, machine: RuleBasedStateMachine) -> RuleBasedStateMachine:
        """Notice when a sequence fails."""
        self.begun += 1
        end = machine.teardown

        def teardown() -> None:
            # An Exception: Hypothesis ends a run early with others.
            self._has_failed |= isinstance(sys.exc_info()[1], Exception)
            try:
                end()
            except Exception:
                self._has_failed = True
                raise

        machine.teardown = teardown  # type: ignore[method-assign]
        return machine
