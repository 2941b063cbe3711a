"""Health: every part says whether it is, and who needs another waits until that is so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.place import Finding

_HEALTHY = "service_healthy"
_ROUTE = "/v1/health/"
#: Loading takes 15 s of a processor, the migrations of a new database 8 s (0.16.8): nobody starts in less than this.
_START_S = 30
#: A command that looks at the answer by itself has its own idea of what is healthy.
_JUDGES = re.compile(r"[|]\s*\S|grep|http_code|jq\b")
_CURL = re.compile(r"\bcurl\b(?P<words>[^;&|]*)")


def is_told(file: ComposeFile) -> Iterator[Finding]:
    """Find Letta, its Postgres, or a service whose health another waits for, without a health check."""
    awaited = {name for body in file.services.values() for name in _awaited(body)}
    named = {file.roles[role] for role in ("letta", "postgres") if role in file.roles}
    for name in sorted(named | (awaited & set(file.services))):
        if not _test_of(file.services[name]) and not _may_be_in_image(file, name):
            waits = "another service waits for its health" if name in awaited else "nothing tells whether it answers"
            yield file.finding(f"{name} has no healthcheck, and {waits}", name, "healthcheck")


def letta_waits(file: ComposeFile) -> Iterator[Finding]:
    """Find a Letta that starts before its Postgres and its Redis are healthy."""
    letta = file.roles["letta"]
    for role, lost in (
        ("postgres", "the server ends when its database does not answer"),
        ("redis", "without Redis at its start it has no background streams until it is restarted"),
    ):
        needed = file.roles.get(role)
        if needed is not None:
            condition = (file.letta.get("depends_on") or {}).get(needed, {}).get("condition")
            if condition != _HEALTHY:
                seen = f"waits for {needed} with {condition}" if condition else f"does not wait for {needed}"
                yield file.finding(
                    f"{letta} {seen}, not with condition: {_HEALTHY}; {lost}", letta, "depends_on", needed
                )


def others_wait(file: ComposeFile) -> Iterator[Finding]:
    """Find a service that depends on Letta and starts before Letta is healthy."""
    letta = file.roles["letta"]
    for name, body in file.services.items():
        condition = (body.get("depends_on") or {}).get(letta, {}).get("condition", _HEALTHY)
        if condition != _HEALTHY:
            yield file.finding(
                f"{name} depends on {letta} with {condition}, not with condition: {_HEALTHY}: Letta takes a while to "
                "migrate and to load",
                name,
                "depends_on",
                letta,
            )


def leaves_time(file: ComposeFile) -> Iterator[Finding]:
    """Find a health check that gives Letta up, with all who wait for it, while it still migrates and loads."""
    letta = file.roles["letta"]
    check = file.letta.get("healthcheck") or {}
    if not _test_of(file.letta) or not any(letta in _awaited(body) for body in file.services.values()):
        return
    interval_s, start_s = _seconds(check.get("interval") or "30s"), _seconds(check.get("start_period") or "0s")
    patience_s = start_s + int(check.get("retries") or 3) * interval_s
    if patience_s < _START_S:
        yield file.finding(
            f"the healthcheck gives {letta} up after {patience_s:.0f} s (start_period + retries x interval), and "
            "what waits for it never starts; its first start takes longer: set start_period: 120s",
            letta,
            "healthcheck",
        )


def asks_the_server(file: ComposeFile) -> Iterator[Finding]:
    """Find a health check of Letta that passes without an answer of the server, or that can never pass."""
    letta = file.roles["letta"]
    said = _test_of(file.letta)
    path = re.search(r"https?://[^/\s\"']+(/[^\s\"'?)]*)?", said)
    if path is None:
        return
    if problem := _problem_of(path[1] or "/", said):
        yield file.finding(problem, letta, "healthcheck", "test")


def _problem_of(path: str, said: str) -> str | None:
    curl = _CURL.search(said)
    words = curl["words"].split() if curl else []
    follows = curl is None or any(_has_flag(word, "L", "--location") for word in words)
    fails = curl is None or any(_has_flag(word, "f", "--fail", "--fail-with-body") for word in words)
    if path in {"/health", "/health/", "/healthz", "/api/health", "/v1", "/v1/"}:
        return f"the healthcheck asks for {path}, which Letta does not serve: ask for {_ROUTE}"
    if path in {"/v1/health", "/v1/ready"} and not follows:
        return (
            f"the healthcheck asks for {path} without the slash at its end: the answer is a redirect (307), which "
            f"curl takes for success before any handler is reached; ask for {path}/"
        )
    if not fails and not _JUDGES.search(said):
        return "the healthcheck's curl has no -f: it passes on every answer, a server error too"
    return None


def _has_flag(word: str, letter: str, *names: str) -> bool:
    return word in names or (re.fullmatch(r"-[A-Za-z]+", word) is not None and letter in word)


def _test_of(body: Mapping[str, Any]) -> str:
    """Return the command of a health check on one line; empty when there is none, or it is switched off."""
    check = body.get("healthcheck") or {}
    test = check.get("test") or []
    words = [test] if isinstance(test, str) else [str(word) for word in test]
    return "" if check.get("disable") or words[:1] == ["NONE"] else " ".join(words)


def _may_be_in_image(file: ComposeFile, name: str) -> bool:
    """Tell whether the image may bring a health check: one that is built here, or is not of the usual ones."""
    if "healthcheck" in file.services[name]:  # switched off
        return False
    return file.has_own_image(name) or name not in file.roles.values() or _is_rich(file.services[name])


def _is_rich(body: Mapping[str, Any]) -> bool:
    return bool(re.search(r"supabase/|bitnami/", str(body.get("image"))))


def _seconds(text: str) -> float:
    """Return a duration as compose prints it, such as ``1m30s``, in seconds."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "ns": 1e-9}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"([\d.]+)(h|ms|us|ns|m|s)", str(text)))


def _awaited(body: Mapping[str, Any]) -> list[str]:
    return [name for name, how in (body.get("depends_on") or {}).items() if how.get("condition") == _HEALTHY]
