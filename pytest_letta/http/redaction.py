"""Keep credentials out of everything that is shown."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

#: Stands for the token. Curl lines are pasted into a shell, where it expands to the reader's own.
PLACEHOLDER: Final = "$LETTA_API_KEY"
#: Stands for secrets that a reader cannot fill in: encoded tokens, cookies, keys of model providers.
REDACTED: Final = "[redacted]"
#: Credentials that start with this were made up by a test, to be refused. They stay readable.
INVENTED: Final = "pytest-letta-"

_CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "x-api-key", "x-bare-password"})
_COOKIE_HEADERS = frozenset({"cookie", "set-cookie"})
_SECRET_FIELD = re.compile(
    r'("(?:api_key|access_key|secret_key|client_secret|secret|password|token)"\s*:\s*")'
    rf'(?!"|{re.escape(INVENTED)}|{re.escape(PLACEHOLDER)})(?:[^"\\]|\\.)*'
)
_USER_INFO = re.compile(r"(?<=://)[^/?#@]*@")
#: Fewer characters would be found in texts that have nothing to do with the secret.
_SHORTEST_CORE = 6
_SHORTEST_TAIL = 3

Headers = tuple[tuple[str, str], ...]


class Redactor:
    """Replace secrets in texts, bytes, URLs and headers. Immutable.

    A secret is found in the forms in which it travels: plain, percent-encoded, escaped for JSON or HTML,
    and in base64, also as a part of a longer base64 text. Values of JSON fields that are named as secrets
    go as well.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.secrets = frozenset(secret for secret in secrets if secret)
        plain = {form for secret in self.secrets for form in _plain_forms(secret)}
        coded = {form for secret in self.secrets for form in _base64_forms(secret)}
        self._forms = sorted(plain | coded, key=len, reverse=True)
        self._plain = _any_of(plain)
        self._coded = _any_of(coded, "[A-Za-z0-9+/_-]?={0,2}")

    def __repr__(self) -> str:
        return f"<Redactor of {len(self.secrets)} secrets>"

    def including(self, secret: str | None) -> Redactor:
        """Return a redactor that hides `secret` too; None and "" add nothing."""
        return self if not secret or secret in self.secrets else Redactor({*self.secrets, secret})

    def redact(self, text: str) -> str:
        """Return the text without secrets."""
        if self._plain is not None:
            text = self._plain.sub(lambda _: PLACEHOLDER, text)
        if self._coded is not None:
            text = self._coded.sub(REDACTED, text)
        return _SECRET_FIELD.sub(rf"\1{REDACTED}", text)

    def data(self, raw: bytes, *, is_cut: bool = False) -> bytes:
        """Return the bytes without secrets; of cut ones also without the beginning of a secret at their end."""
        text = raw.decode(errors="surrogateescape")
        if is_cut:
            text = self._without_tail(text)
        return self.redact(text).encode(errors="surrogateescape")

    def url(self, url: str) -> str:
        """Return the URL without secrets, and without user and password in front of its host."""
        return self.redact(_USER_INFO.sub("", url))

    def headers(self, headers: Iterable[tuple[str, str]]) -> Headers:
        """Return the headers without secrets; of credentials that are not known, only the scheme stays."""
        return tuple((name, self._value(name.lower(), value)) for name, value in headers)

    def _value(self, name: str, value: str) -> str:
        clean = self.redact(value)
        if name in _COOKIE_HEADERS:
            return REDACTED
        if name not in _CREDENTIAL_HEADERS or PLACEHOLDER in clean or not value:
            return clean
        scheme, space, credentials = value.partition(" ")
        if (credentials or scheme).startswith(INVENTED):
            return clean
        return f"{scheme}{space}{REDACTED}" if credentials else REDACTED

    def _without_tail(self, text: str) -> str:
        for form in self._forms:
            for size in range(min(len(form) - 1, len(text)), _SHORTEST_TAIL - 1, -1):
                if text.endswith(form[:size]):
                    return text[:-size]
        return text


def _plain_forms(secret: str) -> set[str]:
    percent = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    lower = {re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in percent}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    in_python = {repr(secret)[1:-1], repr(secret.encode())[2:-1]}
    return {secret, html.escape(secret), *percent, *lower, *escaped, *in_python}


def _base64_forms(secret: str) -> set[str]:
    """Give the base64 of a secret, and the part of it that does not depend on what stands before and after.

    Three bytes become four characters, so what stands before shifts a secret by nought, one or two bytes.
    """
    raw = secret.encode()
    forms = {base64.b64encode(raw).decode().rstrip("=")}
    for shift in range(3):
        code = base64.b64encode(b"\0" * shift + raw).decode()
        core = code[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        if len(core) >= _SHORTEST_CORE:
            forms.add(core)
    return forms | {form.replace("+", "-").replace("/", "_") for form in forms}


def _any_of(forms: Iterable[str], tail: str = "") -> re.Pattern[str] | None:
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){tail}") if longest_first else None
