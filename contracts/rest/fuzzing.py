"""Sends bad input to operations, judges each answer, and narrows what went wrong down to one place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_letta.conformance.findings import Finding
from pytest_letta.conformance.fuzz.alternatives import alternatives
from pytest_letta.conformance.fuzz.answers import unnamed
from pytest_letta.conformance.fuzz.traps import (
    IN_PATHS,
    TRAPS,
    Place,
    Trap,
    broken_bodies,
    chosen,
    places,
    with_trap,
    wrong_types,
)

from .sending import Sender, Sent

if TYPE_CHECKING:
    from pytest_letta.conformance.fuzz.generated import Generated
    from pytest_letta.conformance.fuzz.scope import Target


@dataclass(frozen=True)
class Effort:
    """How much is sent to an operation.

    Requests of one trap, fields of a wrong type, alternatives of one field, bad paths, broken bodies.
    """

    tries: int = 8
    wrong_types: int = 3
    alternatives: int = 6
    paths: int = 2
    bodies: int = 2


class Prober:
    """Looks for what is wrong with the answers of operations to all kinds of bad input."""

    def __init__(self, sender: Sender, effort: Effort) -> None:
        self._sender = sender
        self._samples = sender.samples
        self._effort = effort

    def probe(self, target: Target, generated: Sequence[Generated]) -> list[Finding]:
        """Return what was found, each problem with the first request that had it."""
        plain = self._sender.plain(target)
        found = [_finding(target, "documented request", plain)] if plain.problem else []
        for one in self._all(target, plain):
            if not plain.problem or one.cause.partition(": ")[2] != plain.problem:
                found.append(one)
        seen = {one.cause.partition(": ")[2] for one in found}
        for request in generated:
            sent = self._sender.send(target, request.query, request.body, request.kind)
            if sent.problem and sent.problem not in seen:
                seen.add(sent.problem)
                found.append(_finding(target, "against the schema", sent))
        return list(dict.fromkeys(found))

    def _all(self, target: Target, plain: Sent) -> Iterator[Finding]:
        if target.operation.method == "POST" and plain.status < 300:
            yield from _findings(target, "the same again", self._sender.again(target, plain))
        yield from self._in_path(target)
        yield from self._in_fields(target)
        yield from self._alternatives(target)
        yield from self._wrong_types(target, is_taken=plain.status < 300)
        if target.body is not None:
            broken = broken_bodies(self._samples.fields(target.body))
            for name in chosen(target.key, list(broken), self._effort.bodies):
                content, kind = broken[name]
                yield from _findings(target, name, self._sender.with_fields(target, content=content, kind=kind))

    def _in_path(self, target: Target) -> Iterator[Finding]:
        for parameter in target.parameters:
            seen = set()
            for name, value in list(IN_PATHS.items())[: self._effort.paths] if parameter["in"] == "path" else ():
                sent = self._sender.with_fields(target, path={parameter["name"]: value})
                if sent.problem and sent.problem not in seen:
                    seen.add(sent.problem)
                    yield _finding(target, f"{name} in the path", sent, parameter["name"])

    def _in_fields(self, target: Target) -> Iterator[Finding]:
        found = places(target, self._samples)
        told = set()
        for trap in TRAPS:
            for where in trap.where if trap.goes_beyond not in told else ():
                fitting = [one for one in found if one.where == where and one.kind == trap.kind]
                for finding in self._trapped(target, trap, fitting):
                    told.add(trap.name)
                    yield finding

    def _trapped(self, target: Target, trap: Trap, fitting: Sequence[Place]) -> Iterator[Finding]:
        """Put a value into all fitting places; without those that are refused; in halves where it is not said which.

        What goes wrong in several ways is told once each, with the one place that is enough for it.
        """
        told: set[str] = set()
        waiting = [list(fitting[:1] if trap.is_large else fitting)]
        for _ in range(self._effort.tries):
            while waiting and not waiting[0]:
                waiting.pop(0)
            if not waiting:
                return
            among = waiting.pop(0)
            sent = self._with_trap(target, among, trap.value)
            if sent.problem in told:
                return
            if sent.problem:
                told.add(sent.problem)
                one, sent = self._narrowed(target, trap, among, sent)
                yield _finding(target, trap.name, sent, one.label if one else "")
                waiting.insert(0, [other for other in among if other != one])
                continue
            if sent.status < 400 or len(among) == 1:
                continue
            kept = [one for one in among if one.name.lower() not in sent.text.lower()]
            half = len(among) // 2
            waiting += [among[:half], among[half:]] if len(kept) == len(among) else [kept] if kept else []

    def _narrowed(self, target: Target, trap: Trap, among: Sequence[Place], seen: Sent) -> tuple[Place | None, Sent]:
        """Return the one place that is enough to have the same problem, and the request with it alone.

        Where one place is open to a value, most are: the first is tried alone before halves are.
        """
        while len(among) > 1:
            half = len(among) // 2
            for part in (among[:1], among[:half], among[half:])[half == 1 :]:
                sent = self._with_trap(target, part, trap.value)
                if sent.problem == seen.problem:
                    among, seen = part, sent
                    break
            else:
                return None, seen
        return among[0], seen

    def _alternatives(self, target: Target) -> Iterator[Finding]:
        """Give fields each of what they may hold; not in updates, which take what creations take."""
        if target.operation.method != "PATCH":
            for place, value in alternatives(target, self._samples, self._effort.alternatives):
                sent = self._with_trap(target, [place], value)
                yield from _findings(target, "documented alternative", sent, place.label)

    def _wrong_types(self, target: Target, *, is_taken: bool) -> Iterator[Finding]:
        """Give one field a value of the wrong type, each in turn; where all else is right, that field is named."""
        for place, value in list(wrong_types(target, self._samples))[: self._effort.wrong_types]:
            sent = self._with_trap(target, [place], value)
            yield from _findings(target, "wrong type", sent, place.label)
            unsaid = unnamed(sent.status, sent.text, place.name) if is_taken else None
            if unsaid and not sent.problem:
                yield Finding(f"wrong type: {unsaid}", target.key, place.label, self._sender.newest())

    def _with_trap(self, target: Target, trapped: Sequence[Place], value: Any) -> Sent:
        content = None
        if target.body is not None:
            body = with_trap(
                self._samples.fields(target.body), [one for one in trapped if one.where == "body"], value
            )
            content = json.dumps(body).encode()  # ASCII, so that lone surrogates can be sent
        query = {one.field: value for one in trapped if one.where == "query"}
        return self._sender.with_fields(target, query=query, content=content)


def _findings(target: Target, bad: str, sent: Sent, place: str = "") -> Iterator[Finding]:
    if sent.problem:
        yield _finding(target, bad, sent, place)


def _finding(target: Target, bad: str, sent: Sent, place: str = "") -> Finding:
    if sent.status == 409:  # Whatever was bad in it: the server says that it clashes with what is there.
        bad, place = "what there is already", ""
    return Finding(f"{bad}: {sent.problem}", target.key, place, sent.curl)
