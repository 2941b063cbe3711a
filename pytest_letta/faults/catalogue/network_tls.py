"""Faults of the TLS address: bad certificates, old versions, and what an nginx before Letta forgets."""

from __future__ import annotations

from pytest_letta.faults.catalogue.cases import cases
from pytest_letta.faults.stream import remove_done
from pytest_letta.faults.tls import TlsFault, expired, of_another_authority, of_another_host

_LED = "error_page 497 =308 https://$http_host$request_uri;"
_IN_CLEAR = "error_page 497 = @clear; location @clear { set $letta {letta}; proxy_pass http://$letta; }"


FAULTS = (
    TlsFault(
        name="certificate-has-expired",
        kills=("NET-TLS-001",),
        reason="is refused: certificate has expired .*renew the certificate",
        certificate=expired,
    ),
    TlsFault(
        name="certificate-is-of-another-host",
        kills=("NET-TLS-001",),
        reason="is refused: .*mismatch.*made for the name that clients use",
        certificate=of_another_host,
    ),
    TlsFault(
        name="certificate-is-of-nobody",
        kills=("NET-TLS-001",),
        reason="is refused: unable to get local issuer certificate .*fullchain.pem",
        certificate=of_another_authority,
    ),
    TlsFault(
        name="old-versions-are-taken",
        kills=cases("NET-TLS-002", "1.0", "1.1"),
        reason="takes TLSv1.* .*ssl_protocols TLSv1.2 TLSv1.3",
        edits=(
            (
                "ssl_protocols TLSv1.2 TLSv1.3;",
                "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;",
            ),
        ),
    ),
    TlsFault(
        name="api-is-served-in-clear",
        kills=("NET-TLS-003",),
        reason="/v1/health/ answered 200.* in clear",
        edits=((_LED, _IN_CLEAR),),
    ),
    TlsFault(
        name="clear-requests-are-led-away",
        kills=("NET-TLS-003",),
        reason="it leads to https://pytest-letta.invalid/",
        edits=((_LED, "error_page 497 =308 https://pytest-letta.invalid$request_uri;"),),
    ),
    TlsFault(
        name="letta-is-not-told-of-tls",
        kills=("NET-TLS-004",),
        reason="leaves its origin: https://.* -> http://.*X-Forwarded-Proto .scheme",
        edits=(("proxy_set_header X-Forwarded-Proto $scheme;", ""),),
    ),
    TlsFault(
        name="redirect-loses-the-method",
        kills=("NET-TLS-004", "NET-TLS-005"),
        reason="answered 301|became a GET: the redirect lost the method",
        edits=((_LED, f"{_LED} location = /v1/agents {{ return 301 https://$http_host/v1/agents/$is_args$args; }}"),),
    ),
    TlsFault(
        name="tls-block-buffers-streams",
        kills=("NET-TLS-006",),
        reason="the stream is held back .*proxy_buffering off",
        edits=(("proxy_buffering off;", "proxy_buffering on;"),),
    ),
    TlsFault(
        name="streams-by-tls-lose-their-end",
        kills=("NET-TLS-007",),
        reason="the stream by TLS ended without .DONE.",
        behind=remove_done,
    ),
)
