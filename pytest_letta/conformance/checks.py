"""Pure checks for contracts: data in; ``None``, or a text that says what is wrong, out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_letta.telling import answered, shorten

if TYPE_CHECKING:
    import httpx


def status(response: httpx.Response, *allowed: int) -> str | None:
    """Check that the status is one of `allowed` (200 when none is given)."""
    allowed = allowed or (200,)
    if response.status_code in allowed:
        return None
    return f"{answered(response)} (expected {' or '.join(map(str, allowed))})"


def refused(response: httpx.Response, *allowed: int, naming: str | None = None) -> str | None:
    """Check a refusal by its reason: the status, a JSON object with ``detail``, and what the text names.

    Letta writes ``detail`` as a string, a list (up to 0.12) or an object; LLM errors come under ``error``.
    `naming` must occur in that text in any case of letters.
    """
    if problem := status(response, *allowed):
        return problem
    try:
        body = response.json()
    except ValueError:
        return f"{answered(response)} (expected a JSON error body)"
    detail = body.get("detail", body.get("error")) if isinstance(body, Mapping) else None
    if not detail:
        return f"{answered(response)} (expected a JSON object with 'detail')"
    if naming is not None and naming.lower() not in str(detail).lower():
        return f"{answered(response)} (expected a text that names {naming!r})"
    return None


def not_a_server_error(response: httpx.Response) -> str | None:
    """Check that the server did not answer with 5xx."""
    return f"{answered(response)} (a server error)" if response.status_code >= 500 else None


def event_stream(response: httpx.Response, what: str = "content type") -> str | None:
    """Check that an answer is called an event stream, whatever its parameters."""
    kind = response.headers.get("content-type", "")
    return equal("text/event-stream", kind.partition(";")[0].strip(), what)


def not_for_caches(headers: Mapping[str, str]) -> str | None:
    """Check that `headers`, with their names in lower case, do not invite caches to keep the answer."""
    said = headers.get("cache-control", "")
    is_invitation = (
        re.search(r"\bpublic\b|\bs-maxage=|\bmax-age=[1-9]", said.lower()) and "no-store" not in said.lower()
    )
    return f"it may be stored, with cache-control {said}" if is_invitation else None


def equal(expected: object, actual: object, what: str) -> str | None:
    """Check that `actual` equals `expected`."""
    if expected == actual:
        return None
    return f"{what}: expected {shorten(expected)}, got {shorten(actual)}"


def echoed(sent: Mapping[str, Any], got: Mapping[str, Any], what: str) -> str | None:
    """Check that each field of `sent` came back unchanged in `got`, and name all that did not."""
    wrong = [
        f"{field} is missing"
        if field not in got
        else f"{field} is {shorten(got[field], 80)}, not {shorten(value, 80)}"
        for field, value in sent.items()
        if field not in got or got[field] != value
    ]
    return f"{what} does not give back what was sent: {'; '.join(wrong)}" if wrong else None


def unchanged(
    before: Mapping[str, Any], after: Mapping[str, Any], what: str, but: Collection[str] = ()
) -> str | None:
    """Check that no field differs, those in `but` aside, and name all that do.

    Lists of what has ids, such as the tools of an agent, are the same in any order: a database gives none.
    """
    differing = [
        f"{field} was {shorten(before.get(field), 80)}, is {shorten(after.get(field), 80)}"
        for field in sorted({*before, *after} - set(but))
        if _by_id(before.get(field)) != _by_id(after.get(field))
    ]
    return f"{what} changed what was not asked for: {'; '.join(differing)}" if differing else None


def _by_id(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(one, Mapping) and "id" in one for one in value):
        return sorted(value, key=lambda one: str(one["id"]))
    return value


def contains(collection: Collection[Any] | str, wanted: object, what: str) -> str | None:
    """Check that `wanted` is in `collection`."""
    if wanted in collection:
        return None
    return f"{what} does not contain {shorten(wanted, 120)}: {shorten(collection)}"


def lacks(collection: Collection[Any] | str, unwanted: object, what: str) -> str | None:
    """Check that `unwanted` is not in `collection`."""
    if unwanted not in collection:
        return None
    return f"{what} still contains {shorten(unwanted, 120)}: {shorten(collection)}"


def no_repeats(values: Sequence[Any], what: str) -> str | None:
    """Check that no value occurs twice."""
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    return f"{what} repeats {', '.join(repeated[:5])}" if repeated else None


def same_set(expected: Iterable[Any], actual: Iterable[Any], what: str) -> str | None:
    """Check that both hold the same values, in any order; name what is missing and what is foreign."""
    wanted, got = set(expected), set(actual)
    if wanted == got:
        return None
    missing, foreign = sorted(map(str, wanted - got)), sorted(map(str, got - wanted))
    return f"{what}: {len(missing)} missing {missing[:3]}, {len(foreign)} unexpected {foreign[:3]}"


def same_sequence(expected: Sequence[Any], actual: Sequence[Any], what: str) -> str | None:
    """Check that both hold the same values in the same order; name what is missing, foreign or out of place."""
    if list(expected) == list(actual):
        return None
    missing = [shorten(value, 90) for value in expected if value not in actual]
    foreign = [shorten(value, 90) for value in actual if value not in expected]
    if missing or foreign:
        return f"{what}: {len(missing)} missing {missing[:3]}, {len(foreign)} unexpected {foreign[:3]}"
    if problem := no_repeats(actual, what):
        return problem
    wrong = (n for n, (wanted, got) in enumerate(zip(expected, actual, strict=False)) if wanted != got)
    if (place := next(wrong, None)) is None:
        return f"{what}: {len(actual)} in place of {len(expected)}"
    seen, wanted = shorten(actual[place], 90), shorten(expected[place], 90)
    return f"{what}: out of order, at position {place} {seen} in place of {wanted}"
