"""The deployment under test: URLs, credentials, version, capabilities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from pytest_letta.capabilities import Capability, capabilities
from pytest_letta.client import DEFAULT_TIMEOUT_S, Recorder, open_client
from pytest_letta.errors import TargetError
from pytest_letta.exchange import Exchange, Redactor
from pytest_letta.probing import HEALTH, Answer, Target
from pytest_letta.spec import Spec

#: A route that reads the database; the health route of Letta answers without it.
DATA: Final = "/v1/agents/?limit=1"
SPEC: Final = "/openapi.json"

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)*(?:[.\-+]?[A-Za-z0-9.+\-]*)?")
#: From here on, the package of that name on PyPI is the Letta Code command line.
_OTHER_PRODUCT = (0, 32)
#: Stands for the id of nothing; well-formed, so that it gets past the checks of the path.
_NOTHING = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Deployment:
    """A Letta server that contracts may judge. Made by `probe`.

    `url` and `proxy_url` have no slash at their end and keep their path prefix; `proxy_url` is None without a
    proxy. `version` is what the health route says, None when it says none. `spec` is None when /openapi.json cannot
    be used. `warnings` are lines for the reader of a report.
    """

    url: str
    proxy_url: str | None = None
    token: str | None = field(default=None, repr=False)
    version: str | None = None
    provider: str = "external"
    capabilities: Mapping[str, Capability] = field(default_factory=dict, repr=False)
    spec: Spec | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()

    def can(self, name: str) -> bool:
        """Tell whether a capability is available; raise KeyError when there is none of that name."""
        return self.capabilities[name].available

    def operation_of(self, exchange: Exchange) -> str | None:
        """Return the documented operation that an exchange called, such as `GET /v1/agents/{agent_id}`.

        None when it went elsewhere, or to something that is not documented.
        """
        for base in (self.url, self.proxy_url):
            if self.spec is not None and base is not None and exchange.url.startswith(f"{base}/"):
                return self.spec.operation_for(exchange.method, exchange.url.removeprefix(base))
        return None


def probe(
    url: str,
    proxy_url: str | None = None,
    token: str | None = None,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    extras: Mapping[str, bool | str] | None = None,
    *,
    provider: str = "external",
    given_by: str | None = None,
    proxy_given_by: str = "--letta-proxy-url",
    headers: Mapping[str, str] | None = None,
    recorder: Recorder | None = None,
) -> Deployment:
    """Find out what answers at a URL, with a few GET requests of at most `timeout_s` seconds each.

    `extras` is what only the harness knows, see `capabilities`. `given_by` and `proxy_given_by` say where the URLs
    come from, for error messages; None stands for --letta-url, or for the stack when `provider` is one. `headers` go
    with each request.

    Raise TargetError, in one line, when no Letta server answers there: nothing listens, no such host, a certificate
    that is not trusted, no answer in time, a redirect to another origin, a web page, some other server, or a
    password that is missing or wrong. What is odd but can be tested is told in `warnings`.
    """
    url = url.rstrip("/")
    proxy_url = None if proxy_url is None else proxy_url.rstrip("/")
    redactor = Redactor([token] if token else [])
    trusted = [] if proxy_url is None else [proxy_url]
    with open_client(url, token, timeout_s, recorder, also_trusted=trusted, headers=headers or {}) as client:
        target = Target(url, given_by or _usual_source(provider), client, timeout_s, redactor)
        version = _version(target.check_health(target.get(HEALTH)))
        warnings = [*_version_warnings(version), *_check_data(target, token)]
        spec, spec_warnings = _read_spec(target)
        warnings += spec_warnings
        if proxy_url is not None:
            warnings += _check_proxy(Target(proxy_url, proxy_given_by, client, timeout_s, redactor), version)
        known = capabilities(
            spec.has if spec is not None else _Routes(target).has,
            extras=extras or {},
            has_proxy=proxy_url is not None,
            has_token=bool(token),
            version=version,
        )
    return Deployment(url, proxy_url, token, version, provider, known, spec, tuple(map(redactor.redact, warnings)))


def _usual_source(provider: str) -> str:
    return "--letta-url" if provider == "external" else f"the {provider} stack"


def _version(health: Mapping[str, object]) -> str | None:
    version = health.get("version")
    return version.strip() or None if isinstance(version, str) else None


def _version_warnings(version: str | None) -> list[str]:
    if version is None:
        return [f"GET {HEALTH} tells no version: known issues of a version cannot be told from new ones"]
    match = _VERSION.fullmatch(version)
    if match is None:
        return [f"GET {HEALTH} tells a strange version, {version[:40]!r}: expected something like 0.16.8"]
    if (int(match[1]), int(match[2])) >= _OTHER_PRODUCT:
        return [
            f"the server calls itself version {version}: from 0.32 on, `letta` is another product (Letta Code); "
            "the last server that the contracts know is 0.16.8"
        ]
    return []


def _check_data(target: Target, token: str | None) -> list[str]:
    try:
        answer = target.get(DATA)
    except TargetError as exc:
        return [f"the server is healthy by its own account, but cannot be asked for agents: {exc}"]
    target.check_redirect(answer)
    if answer.status in {401, 403}:
        raise target.refuse(_why_unauthorized(answer, token))
    if answer.is_html or (answer.status == 404 and answer.detail in {None, "Not Found"}):
        raise target.refuse(
            f"it has a health route like Letta's, but GET {DATA} answers {answer.status}: no Letta server, or one "
            "behind a proxy that lets only the health route through"
        )
    if answer.status >= 400:
        return [f"the server is healthy by its own account, but GET {DATA} answers {answer.status}: {answer.shown}"]
    return _open_server_warning(target) if token else []


def _why_unauthorized(answer: Answer, token: str | None) -> str:
    if answer.status == 403 or answer.detail != "Unauthorized":
        return f"GET {DATA} answers {answer.status}, not as Letta does: something in front of it asks for credentials"
    if token is None:
        return "the server asks for its password; give it with --letta-token, or set LETTA_API_KEY"
    return (
        "the server refuses the password; correct --letta-token or LETTA_API_KEY: it must be the "
        "LETTA_SERVER_PASSWORD of the server"
    )


def _open_server_warning(target: Target) -> list[str]:
    try:
        answer = target.get(DATA, headers={"Authorization": ""})
    except TargetError:
        return []
    if answer.status != 200:
        return []
    return [
        "a password was given, but the server answers without one too: LETTA_SERVER_PASSWORD protects nothing "
        "unless the server runs with --secure or LETTA_SERVER_SECURE=true"
    ]


def _read_spec(target: Target) -> tuple[Spec | None, list[str]]:
    unusable = f"GET {SPEC} gives no usable description"
    consequence = "capabilities are found out by asking known paths, and the count of operations is left out"
    try:
        answer = target.get(SPEC)
        if answer.status != 200:
            return None, [f"{unusable}, it answers {answer.status}: {consequence}"]
        return Spec.from_openapi(answer.json), []
    except TargetError as exc:
        return None, [f"{exc} {consequence}"]
    except ValueError as exc:
        return None, [f"{unusable}, {exc}: {consequence}"]


def _check_proxy(target: Target, version: str | None) -> list[str]:
    behind = _version(target.check_health(target.get(HEALTH)))
    if behind != version:
        return [f"the proxy {target.url} leads to version {behind}, not to {version}: is it another server?"]
    return []


class _Routes:
    """Which operations a server has, found out by GET requests that change nothing."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._answers: dict[str, Answer | None] = {}

    def has(self, operation: str) -> bool:
        """Tell whether an operation is served; what cannot be told counts as served, for a contract to judge."""
        method, template = operation.split(" ")
        if template not in self._answers:
            path = re.sub(r"\{(\w+?)(?:_id)?\}", rf"\1-{_NOTHING}", template)
            try:
                self._answers[template] = self._target.get(f"{path}?limit=1")
            except TargetError:
                self._answers[template] = None
        answer = self._answers[template]
        if answer is None:
            return True
        if answer.status == 404 and answer.detail in {None, "Not Found"}:
            return False
        return method != "GET" or answer.status != httpx.codes.METHOD_NOT_ALLOWED
