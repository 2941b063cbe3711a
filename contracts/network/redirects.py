"""Judges slash redirects: the server adds a missing slash, and nothing may be lost on that way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from pytest_letta.conformance.checks import equal, status
from pytest_letta.conformance.nginx_cures import QUERY

if TYPE_CHECKING:
    from pytest_letta.handles import Handles
    from pytest_letta.ownership import Ledger

_HOPS = 3


def redirect_problem(client: httpx.Client) -> str | None:
    """Say how the redirect of a list without its slash leaves its origin or loses its query, if it does."""
    query = "limit=1&name=pytest-letta-nobody"
    answer = client.get(f"/v1/agents?{query}")
    if answer.status_code == 200:
        return None  # answered without a redirect, as a gateway may do
    if problem := status(answer, 307, 308):
        return problem
    asked, location = answer.request.url, answer.request.url.join(answer.headers["location"])
    if _origin(location) != _origin(asked):
        way = f"{_origin(asked)} -> {answer.headers['location']}"
        return f"the redirect leaves its origin: {way}{_hint(asked, location)}"
    if not location.path.endswith("/v1/agents/"):
        return f"the redirect leads to another path: {location.path}"
    problem = equal(query, location.query.decode(), "query of the redirect")
    return f"{problem} (nginx: {QUERY})" if problem else None


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.host}:{url.port or {'http': 80, 'https': 443}[url.scheme]}"


def _hint(asked: httpx.URL, location: httpx.URL) -> str:
    """Name the setting of nginx that does this."""
    if asked.scheme != location.scheme:
        kept = "proxy_set_header X-Forwarded-Proto $scheme, and proxy_redirect left at its default"
        return f" (nginx: {kept}; Letta: FORWARDED_ALLOW_IPS names the proxy)"
    if asked.host == location.host:
        return " (nginx: proxy_set_header Host $http_host keeps the port, $host loses it)"
    return " (nginx: proxy_set_header Host $http_host; an internal host name leaks)"


def creation_problem(client: httpx.Client, handles: Handles, ledger: Ledger) -> str | None:
    """Create an agent without the slash, following the redirect; say what was lost, if anything was."""
    body = {"name": ledger.name(), "description": "sent without the slash", "tags": ledger.tags, **handles.fields()}
    answer = client.post("/v1/agents", json=body)
    for _ in range(_HOPS):
        if answer.next_request is None:
            break
        there = answer.next_request.url
        try:
            answer = client.send(answer.next_request)
        except httpx.TransportError as error:
            hint = _hint(client.base_url, there)
            return f"POST /v1/agents is redirected to {there}, where nobody answers: {error}{hint}"
    if answer.status_code == 200 and isinstance(answer.json(), dict):
        ledger.enter(f"/v1/agents/{answer.json()['id']}")
    if problem := status(answer, 200):
        return problem
    if not isinstance(answer.json(), dict):
        return f"POST /v1/agents became a {answer.request.method}: the redirect lost the method"
    return equal(body["description"], answer.json().get("description"), "description of the created agent")
