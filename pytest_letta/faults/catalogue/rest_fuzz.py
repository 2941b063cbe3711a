"""Faults of what bad input is answered with: part of the REST suite's catalogue.

Each shows on one operation alone, since most areas of the current version are known to break on their own.
"""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match
from pytest_letta.faults.rest import change_status
from pytest_letta.faults.surface import choke_on, ill_after

_SIZES = Match("GET", "/embeddings/total_storage_size$")
_SEARCH = Match("POST", "^/v1/passages/search$")
_SANDBOXES = Match("POST", "^/v1/sandbox-config/$")
_TRACE = b'{"detail": "Traceback (most recent call last):\\n  File \\"/app/letta/server.py\\", line 1, in search"}'
_STATEMENT = b'{"detail": "(asyncpg) [SQL: SELECT passages.id FROM passages WHERE passages.text = 5]"}'

OF_BAD_INPUT = (
    CataloguedFault(
        name="documented-request-crashes",
        kills=cases("REST-FUZZ-001", "others"),
        reason="^documented request: 500 .* in 1 operation: GET /v1/embeddings/total_storage_size$",
        make=lambda: change_status(500, on=_SIZES),
    ),
    CataloguedFault(
        name="wrong-type-crashes",
        kills=cases("REST-FUZZ-001", "passages"),
        reason=r"wrong type: 500 An unknown error occurred, in 1 operation: POST /v1/passages/search \(query\)",
        make=lambda: choke_on(rb'"query": \{"a": 1\}', on=_SEARCH),
    ),
    CataloguedFault(
        name="key-twice-crashes",
        kills=cases("REST-FUZZ-001", "passages"),
        reason="body with a key twice: 500",
        make=lambda: choke_on(rb'\{"agent_id": \{"a": 1\}, "agent_id"', on=_SEARCH),
    ),
    CataloguedFault(
        name="stack-trace-in-a-refusal",
        kills=cases("REST-FUZZ-001", "passages"),
        reason="422 with a stack trace in the body",
        make=lambda: change_status(422, only=422, body=_TRACE, on=_SEARCH),
    ),
    CataloguedFault(
        name="statement-in-a-refusal",
        kills=cases("REST-FUZZ-001", "passages"),
        reason="422 with SQL in the body",
        make=lambda: change_status(422, only=422, body=_STATEMENT, on=_SEARCH),
    ),
    CataloguedFault(
        name="refusal-names-nothing",
        kills=cases("REST-FUZZ-001", "passages"),
        reason="^wrong type: 422 that does not name the field",
        make=lambda: change_status(422, only=422, body=b'{"detail": "Bad request"}', on=_SEARCH),
    ),
    CataloguedFault(
        name="refused-and-stored",
        kills=cases("REST-FUZZ-001", "sandbox-config"),
        reason="422, and stored, in 1 operation: POST /v1/sandbox-config/",
        make=lambda: change_status(422, only=(200, 201), body=b'{"detail": "config is bad"}', on=_SANDBOXES),
    ),
    CataloguedFault(
        name="ill-after-bad-input",
        kills=cases("REST-FUZZ-001", "passages"),
        reason="afterwards the server's health is 503, in 1 operation: POST /v1/passages/search",
        make=lambda: ill_after(rb'"query": \{"a": 1\}', on=_SEARCH),
    ),
)
