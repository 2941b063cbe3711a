"""TLS handshakes with the deployment, with what a client may insist on, and plain HTTP in their place."""

from __future__ import annotations

import socket
import ssl
import warnings
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pytest_letta.telling import answered

if TYPE_CHECKING:
    import httpx

    from pytest_letta.tls import TlsAddress

_CHAIN = (
    "nginx: ssl_certificate must hold the whole chain, fullchain.pem; of an authority of your own, clients need the "
    "file: SSL_CERT_FILE"
)
_NAME = "nginx: ssl_certificate must be made for the name that clients use, in the server block of that server_name"
#: By the codes of X509_verify_cert of OpenSSL.
_CURES = {
    9: "its time has not come: look at the clock of the server",
    10: "renew the certificate, and have nginx read it: nginx -s reload",
    18: _CHAIN,
    19: _CHAIN,
    20: _CHAIN,
    21: _CHAIN,
    62: _NAME,
    64: _NAME,
}


def certificate_problem(tls: TlsAddress, timeout_s: float) -> str | None:
    """Say why a client that looks at certificates by the usual rules, as all should, goes no further."""
    import httpx

    context = ssl.create_default_context(cafile=tls.ca_file) if tls.ca_file else httpx.create_ssl_context()
    try:
        _shake_hands(tls.url, context, timeout_s)
    except ssl.SSLCertVerificationError as error:
        cure = _CURES.get(error.verify_code, _CHAIN)
        return f"the certificate of {tls.url} is refused: {error.verify_message} ({cure})"
    except OSError as error:
        return f"there is no TLS at {tls.url}: {error}"
    return None


def takes(tls: TlsAddress, version: ssl.TLSVersion, timeout_s: float) -> bool:
    """Tell whether a handshake with this version of TLS, and no other, comes about; certificates do not matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # OpenSSL itself does not use the ciphers of old versions unless told.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    try:
        _shake_hands(tls.url, context, timeout_s)
    except OSError:
        return False
    return True


def _shake_hands(url: str, context: ssl.SSLContext, timeout_s: float) -> None:
    parts = urlsplit(url)
    with closing(socket.create_connection((parts.hostname or "", port_of(parts)), timeout_s)) as plain:
        context.wrap_socket(plain, server_hostname=parts.hostname).close()


def port_of(parts: SplitResult) -> int:
    return parts.port or {"http": 80, "https": 443}[parts.scheme]


def plain_urls(tls: TlsAddress) -> list[str]:
    """Return where somebody ends who writes http in place of https: at the same port, and at 80 in place of 443."""
    parts = urlsplit(tls.url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    ports = [80, 443] if port_of(parts) == 443 else [port_of(parts)]
    return [f"http://{host}:{port}{parts.path}" for port in ports]


def clear_problem(answer: httpx.Response, tls: TlsAddress) -> str | None:
    """Say how an answer in clear serves the API, or leads elsewhere than to the same host with https."""
    if answer.is_redirect:
        there, own = answer.request.url.join(answer.headers["location"]), urlsplit(tls.url)
        if (there.scheme, there.host) == ("https", own.hostname):
            return None
        return f"{answered(answer)}: it leads to {there}, not to https://{own.netloc}"
    seen = f"{answered(answer)}, in clear: passwords and conversations can be read on the way"
    return seen if _is_of_letta(answer) else None


def _is_of_letta(answer: httpx.Response) -> bool:
    """Tell whether this is data, or the question for the password, and not what else has that port to say."""
    try:
        body = answer.json()
    except ValueError:
        return False
    asks = answer.status_code == 401 and isinstance(body, dict) and "detail" in body
    return asks or (answer.is_success and isinstance(body, (dict, list)))
