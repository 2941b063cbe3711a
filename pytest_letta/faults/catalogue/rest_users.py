"""Faults of users, identities, of the sandboxes of their tools and of secrets: part of the REST suite's catalogue."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.fault import CataloguedFault, Match, together
from pytest_letta.faults.rest import change_status, drop_request_field, set_request_field, set_response_field
from pytest_letta.faults.surface import forget_first_deletion
from pytest_letta.faults.writes import swallow_write

_TRACE = 'Traceback (most recent call last):\n  File "/app/letta/orm/sqlalchemy_base.py", line 1'
#: What the contract gives an agent to keep.
_SECRET = "pytest-letta-secret-0123456789"

OF_USERS = (
    CataloguedFault(
        name="new-names-acknowledged-but-dropped",
        kills=("REST-USERS-001", *cases("REST-USERS-003", "unknown-user")),
        reason="^name of .* in the list: expected|answered 200.*expected 404",
        make=lambda: swallow_write("echo", on=Match("PATCH|PUT", "^/v1/admin/")),
    ),
    CataloguedFault(
        name="deletions-of-users-forgotten",
        kills=("REST-USERS-002", *cases("REST-USERS-003", "malformed-user")),
        reason="is still listed|answered 200.*expected 404",
        make=lambda: forget_first_deletion(on=Match("DELETE", "^/v1/admin/")),
    ),
    CataloguedFault(
        name="wrong-users-taken",
        kills=(
            "REST-USERS-002",
            *cases("REST-USERS-003", "user-without-organization unknown-organization unknown-user malformed-user"),
        ),
        reason="answered 200.*expected 4",
        make=lambda: change_status(200, only=(400, 404, 409, 422), on=Match(path="^/v1/admin/")),
    ),
    CataloguedFault(
        name="sandboxes-stay-as-they-are",
        kills=("REST-SANDBOX-001", "REST-SANDBOX-002"),
        reason="^folders of sandboxes: expected|the variable that stays does not give back",
        make=lambda: swallow_write("echo", on=Match("PATCH", "^/v1/sandbox-config/")),
    ),
    CataloguedFault(
        name="environment-of-tools-lost",
        kills=("REST-SANDBOX-002", "REST-SANDBOX-003"),
        reason="^what the tool saw: expected|value is",
        make=lambda: together(
            set_request_field("value", "", on=Match("POST", "/environment-variable$")),
            drop_request_field("env_vars", on=Match("POST", "/tools/run$")),
        ),
    ),
)

OF_IDENTITIES = (
    CataloguedFault(
        name="put-identities-acknowledged-but-dropped",
        kills=(*cases("REST-IDENTITY-001", "existing"), "REST-IDENTITY-002"),
        reason="^id of the identity that was put: expected|^properties after the PUT does not contain",
        make=lambda: swallow_write("echo", on=Match("PUT", "^/v1/identities/")),
    ),
)

OF_SECRETS = (
    CataloguedFault(
        name="export-carries-secrets",
        kills=("REST-SECRET-002",),
        reason="gives the secret in clear, in secrets.PYTEST_LETTA_KEY",
        make=lambda: set_response_field("secrets", {"PYTEST_LETTA_KEY": _SECRET}, on=Match("GET", "/export$")),
    ),
    CataloguedFault(
        name="refusals-show-a-trace",
        kills=cases("REST-SECRET-003", "wrong-type nul route"),
        reason="the refusal shows 'Traceback",
        make=lambda: set_response_field("detail", _TRACE, on=Match(path="/folders/$|/no-such-route$")),
    ),
)
