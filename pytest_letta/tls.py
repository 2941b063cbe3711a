"""Where a deployment is reached by TLS, and whom a client must trust there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_letta.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class TlsAddress:
    """A base URL with https. `ca_file` is a PEM file of authorities; None means those that are trusted anyway."""

    url: str
    ca_file: str | None


def tls_address(stack: Stack) -> TlsAddress | None:
    """Return the https address of a deployment, its proxy's rather than the server's; None when it has none."""
    if stack.tls_url is not None:
        return TlsAddress(stack.tls_url, stack.ca_file)
    urls = (url.rstrip("/") for url in (stack.proxy_url, stack.url) if url is not None)
    return next((TlsAddress(url, None) for url in urls if url.startswith("https://")), None)
