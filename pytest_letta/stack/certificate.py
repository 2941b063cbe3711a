"""The certificate of the proxy's TLS address, made on the spot by an authority that nobody else trusts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM texts: the `chain` of a server, its private `key`, and the `authority` that clients are to trust."""

    chain: bytes
    key: bytes
    authority: bytes

    def write(self, folder: Path) -> None:
        """Write ``chain.pem``, ``key.pem`` and ``authority.pem`` into a folder."""
        for name in ("chain", "key", "authority"):
            path = folder / f"{name}.pem"
            path.touch(mode=0o600)
            path.write_bytes(getattr(self, name))


def make_certificate(names: Sequence[str], *, lives: tuple[datetime, datetime] | None = None) -> Certificate:
    """Make a certificate for these host names and addresses.

    It holds during the time that it `lives`; ``None`` means as long as trustme says, for decades.
    """
    import trustme

    authority = trustme.CA()
    server = authority.issue_cert(*names, not_before=lives and lives[0], not_after=lives and lives[1])
    chain = b"".join(one.bytes() for one in server.cert_chain_pems)
    return Certificate(chain, server.private_key_pem.bytes(), authority.cert_pem.bytes())
