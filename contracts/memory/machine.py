"""Random sequences of what users, models and operators do to a memory, as a Hypothesis state machine."""

from __future__ import annotations

import sys
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pytest_letta.strategies import labels, lines, tags, texts

from .disturbances import DisturbedWorld
from .world import MODES

_AGENTS = 3
_ANY = st.integers(0, 5)
_MODES = st.sampled_from(MODES)


def _can(action: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return precondition(lambda self: action in self.actions)


def _has(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return precondition(lambda self: bool(getattr(self, what)()))


class MemoryMachine(RuleBasedStateMachine):
    """One sequence in a world of its own. `actions` are those of the stack that it may use.

    After each step the server shows what the reference model holds; at the end every model is asked for its prompt.
    """

    def __init__(self, world: DisturbedWorld, actions: frozenset[str]) -> None:
        super().__init__()
        self.world = world
        self.actions = actions

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.world.check_prompts()
                self.world.check(everything=True)
        finally:
            self.world.leave()

    @invariant()
    def shows_what_it_should(self) -> None:
        self.world.check()

    # --- choices among what there is -------------------------------------------------------------------------

    def _agents(self) -> list[str]:
        return list(self.world.memory.agents)

    def _with_blocks(self) -> list[str]:
        return [id for id, agent in self.world.memory.agents.items() if agent.blocks]

    def _for_models(self) -> list[tuple[str, str]]:
        """Agents and labels of what their models can edit without harm to the rest of it on this server."""
        spoils_tabs = "MEM-TEXT-006[tabs]" in self.world.tools.known
        return [
            (agent, label)
            for agent in self._agents()
            for label, block in sorted(self.world.memory.blocks_of(agent).items())
            if not (spoils_tabs and "\t" in block.value)
        ]

    def _with_passages(self) -> list[str]:
        return [id for id, agent in self.world.memory.agents.items() if agent.passages]

    def _blocks(self) -> list[str]:
        return list(self.world.memory.blocks)

    def _label(self, agent: str, which: int) -> str:
        found = sorted(self.world.memory.blocks_of(agent))
        return found[which % len(found)]

    # --- agents and blocks -----------------------------------------------------------------------------------

    @initialize(values=st.dictionaries(labels(), texts(), min_size=1, max_size=2))
    def first_agent(self, values: dict[str, str]) -> None:
        self._create(values)

    @precondition(lambda self: len(self.world.memory.agents) < _AGENTS)
    @rule(values=st.dictionaries(labels(), texts(), max_size=2))
    def create_agent(self, values: dict[str, str]) -> None:
        self._create(values)

    def _create(self, values: dict[str, str]) -> None:
        self.world.create_agent({label: self.world.marked(value) for label, value in values.items()})

    @_has("_with_blocks")
    @rule(who=_ANY, which=_ANY, value=texts(), by_id=st.booleans())
    def edit_block(self, who: int, which: int, value: str, by_id: bool) -> None:
        agent = self._with_blocks()[who % len(self._with_blocks())]
        self.world.edit_block(agent, self._label(agent, which), self.world.marked(value), by_id=by_id)

    @_has("_for_models")
    @rule(which=_ANY, line=lines(), mode=_MODES)
    def edit_by_model(self, which: int, line: str, mode: str) -> None:
        agent, label = self._for_models()[which % len(self._for_models())]
        self.world.edit_by_model(agent, label, self.world.marked(line), mode=mode)

    @_has("_agents")
    @rule(who=_ANY, label=labels(), value=texts())
    def attach_new_block(self, who: int, label: str, value: str) -> None:
        agent = self._agents()[who % len(self._agents())]
        if label not in self.world.memory.blocks_of(agent):
            self.world.attach(agent, self.world.add_block(label, self.world.marked(value)))

    @_has("_blocks")
    @_has("_agents")
    @rule(who=_ANY, which=_ANY)
    def attach_or_detach(self, who: int, which: int) -> None:
        agent = self._agents()[who % len(self._agents())]
        block = self._blocks()[which % len(self._blocks())]
        memory = self.world.memory
        if block in memory.agents[agent].blocks:
            self.world.detach(agent, block)
        elif memory.blocks[block].label not in memory.blocks_of(agent):
            self.world.attach(agent, block)

    @_has("_blocks")
    @rule(which=_ANY)
    def delete_block(self, which: int) -> None:
        self.world.delete_block(self._blocks()[which % len(self._blocks())])

    @_has("_agents")
    @rule(who=_ANY, description=texts(), given=tags())
    def modify_agent(self, who: int, description: str, given: list[str]) -> None:
        agent = self._agents()[who % len(self._agents())]
        self.world.modify(agent, description=description, tags=given)

    @precondition(lambda self: 0 < len(self.world.memory.agents) < _AGENTS)
    @rule(who=_ANY)
    def copy_by_agent_file(self, who: int) -> None:
        self.world.copy(self._agents()[who % len(self._agents())])

    @precondition(lambda self: len(self.world.memory.agents) > 1)
    @rule(who=_ANY)
    def delete_agent(self, who: int) -> None:
        self.world.delete_agent(self._agents()[who % len(self._agents())])

    # --- passages and messages -------------------------------------------------------------------------------

    @_has("_agents")
    @rule(who=_ANY, text=texts(), given=tags())
    def insert_passage(self, who: int, text: str, given: list[str]) -> None:
        self.world.insert_passage(self._agents()[who % len(self._agents())], self.world.marked(text), given)

    @_has("_with_passages")
    @rule(who=_ANY, which=_ANY, delete=st.booleans())
    def search_or_delete_passage(self, who: int, which: int, delete: bool) -> None:
        agent = self._with_passages()[who % len(self._with_passages())]
        passages = list(self.world.memory.agents[agent].passages)
        passage = passages[which % len(passages)]
        if delete:
            self.world.delete_passage(agent, passage)
        else:
            self.world.search(agent, passage)

    @_has("_agents")
    @rule(who=_ANY, text=lines(), mode=_MODES)
    def send(self, who: int, text: str, mode: str) -> None:
        self.world.send(self._agents()[who % len(self._agents())], self.world.marked(text), mode=mode)

    # --- what befalls the services ---------------------------------------------------------------------------

    @_can("restart")
    @rule()
    def restart_letta(self) -> None:
        self.world.restart("letta")

    @_can("kill")
    @rule(service=st.sampled_from(["letta", "postgres"]))
    def crash(self, service: str) -> None:
        self.world.crash(service)

    @precondition(lambda self: {"kill", "restart"} <= self.actions)
    @rule()
    def restart_redis(self) -> None:
        self.world.restart("redis")

    @_can("kill")
    @_has("_agents")
    @rule(who=_ANY, mode=_MODES)
    def crash_in_turn(self, who: int, mode: str) -> None:
        self.world.crash_in_turn(self._agents()[who % len(self._agents())], mode=mode)

    @_can("kill")
    @_has("_for_models")
    @rule(which=_ANY, line=lines(), mode=_MODES)
    def crash_after_step(self, which: int, line: str, mode: str) -> None:
        agent, label = self._for_models()[which % len(self._for_models())]
        self.world.crash_in_turn(agent, mode=mode, label=label, line=self.world.marked(line))

    @_can("pause")
    @_has("_with_blocks")
    @rule(who=_ANY, which=_ANY, value=texts())
    def pause_during_edit(self, who: int, which: int, value: str) -> None:
        agent = self._with_blocks()[who % len(self._with_blocks())]
        self.world.pause_during_edit(agent, self._label(agent, which), self.world.marked(value))
