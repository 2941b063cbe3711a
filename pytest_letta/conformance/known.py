"""Known issues: promises that a version is known to break, listed per contract id and still run."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_letta.conformance.findings import Finding, listed
from pytest_letta.errors import SettingsError

if TYPE_CHECKING:
    from pytest_letta.session import LettaSession

_SHIPPED = {"reason", "reproduction", "link", "since", "findings"}
_OWN = _SHIPPED | {"owner", "expires"}


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """One listed breach: why it is accepted, where it can be seen, since when, and until when.

    `findings` are those of a contract that tells its findings by their causes: with others it fails, and so it does
    when one of these is gone.
    """

    id: str
    reason: str
    evidence: str
    since: str
    owner: str | None = None
    expires: datetime.date | None = None
    findings: tuple[Finding, ...] = ()

    def has_expired(self, today: datetime.date) -> bool:
        return self.expires is not None and self.expires < today


class KnownIssues:
    """The issues that count in a session: the user's own, and once the deployment is known those of its version."""

    def __init__(self, session: LettaSession) -> None:
        self._session = session
        self._issues: dict[str, KnownIssue] | None = None
        self._knows_version = False

    def by_id(self) -> dict[str, KnownIssue]:
        """Return each issue by the id of its contract; the user's own go before the shipped ones."""
        deployment = self._session.deployment_if_probed
        if self._issues is None or (deployment is not None and not self._knows_version):
            from pytest_letta.conformance.suites import known_file

            shipped = known_file(deployment.version) if deployment is not None else None
            own = self._session.settings.known
            self._knows_version = deployment is not None
            self._issues = {
                **(read_known(shipped) if shipped else {}),
                **(read_known(own, own=True) if own else {}),
            }
        return self._issues


def read_known(path: Path, *, own: bool = False) -> dict[str, KnownIssue]:
    """Read a file of known issues: a mapping of contract id to its entry.

    Each entry has ``reason``, ``since`` and a ``link`` or a ``reproduction``; with `own`, ``owner`` and
    ``expires`` (a date) too. Raises SettingsError that names the file, the id and the field.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"known issues: {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, Mapping):
        raise SettingsError(f"known issues: {path} must map contract ids to entries, got {type(content).__name__}.")
    return {str(id): _entry(path, str(id), entry, own) for id, entry in content.items()}


def _entry(path: Path, id: str, entry: Any, own: bool) -> KnownIssue:
    where = f"known issues: {path}: {id}"
    if not isinstance(entry, Mapping):
        raise SettingsError(f"{where} must be a mapping with reason, since and link or reproduction.")
    allowed = _OWN if own else _SHIPPED
    if unknown := sorted(set(entry) - allowed):
        raise SettingsError(
            f"{where} has unknown fields {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}."
        )
    required = ["reason", "since", *(["owner", "expires"] if own else [])]
    missing = [name for name in required if not entry.get(name)]
    if not entry.get("link") and not entry.get("reproduction"):
        missing.append("link or reproduction")
    if missing:
        raise SettingsError(f"{where} lacks {', '.join(missing)}.")
    expires = entry.get("expires")
    if expires is not None and type(expires) is not datetime.date:
        raise SettingsError(f"{where}: expires must be a date such as 2027-01-31, got {expires!r}.")
    findings = entry.get("findings", {})
    if not isinstance(findings, Mapping) or not all(isinstance(each, list) for each in findings.values()):
        raise SettingsError(f"{where}: findings must map each cause to the list of its operations.")
    return KnownIssue(
        id=id,
        reason=" ".join(str(entry["reason"]).split()),
        evidence=str(entry.get("link") or entry.get("reproduction")).strip(),
        since=str(entry["since"]),
        owner=entry.get("owner"),
        expires=expires,
        findings=listed(findings),
    )
