"""nginx, the proxy before Letta, reached in clear and by TLS."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from pytest_letta.stack import wheels
from pytest_letta.stack.asking import ask
from pytest_letta.stack.certificate import Certificate, make_certificate
from pytest_letta.stack.process_service import ProcessService, plain_environment
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address

_TEMPLATE = Path(__file__).with_name("nginx.conf")
_PROXY = _TEMPLATE.with_name("nginx_proxy.conf")
#: One port for both: who speaks plain HTTP to it is led to https, at that port, and never gets to Letta.
_TLS = Template("""\
listen $listen ssl;
    ssl_certificate $folder/chain.pem;
    ssl_certificate_key $folder/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    error_page 497 =308 https://$$http_host$$request_uri;""")


class Nginx(ProcessService):
    """nginx that passes requests, bodies up to 64 MiB and event streams through to `letta`."""

    name = "nginx"

    def __init__(self, run: RunDir, address: Address, letta: Address, tls: Address) -> None:
        super().__init__(run, address)
        self._letta = letta
        self._tls = tls
        self._certificates = self.folder / "tls"

    def command(self) -> Sequence[str]:
        if not self._certificates.exists():
            self._certificates.mkdir(mode=0o700)
            self.certificate().write(self._certificates)
        conf = self.folder / "nginx.conf"
        conf.write_text(self.configuration())
        return [str(wheels.nginx()), "-p", str(self.folder), "-c", str(conf), "-e", "stderr"]

    def certificate(self) -> Certificate:
        """Make the certificate that is shown; asked for once."""
        return make_certificate([self._tls.host, "localhost"])

    def configuration(self) -> str:
        """Return the text of the configuration."""
        tls = render_tls(str(self._tls), self._certificates)
        return render(self.folder, self.address, self._letta, tls, as_root=os.geteuid() == 0)

    def environment(self) -> Mapping[str, str]:
        return plain_environment(self.folder)

    def check(self, limit_s: float) -> str | None:
        return ask(self.address, "/nginx-health", limit_s)

    def reload(self) -> None:
        """Have new workers serve by the configuration as it is now; the old ones end with their last request."""
        os.kill(self._running_pid("reloaded"), signal.SIGHUP)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def tls_url(self) -> str:
        return f"https://{self._tls}"

    @property
    def ca_file(self) -> str:
        """Path of the authority that a client of `tls_url` is to trust; it is there once nginx was launched."""
        return str(self._certificates / "authority.pem")


def render(folder: Path, listen: Address, letta: Address, tls: str = "", *, as_root: bool) -> str:
    """Return the configuration of a proxy at `listen` that keeps all its files in `folder`.

    `tls` is what `render_tls` gives, nothing without TLS.

    Started by root, nginx changes to the user ``nobody``, who could not read the folder, unless told to stay root.
    """
    return Template(_TEMPLATE.read_text()).substitute(
        user="user root;" if as_root else "",
        folder=folder,
        access_log=folder / "access.log",
        proxy=render_proxy(str(listen), str(letta), tls=tls),
    )


def render_proxy(listen: str, letta: str, resolver: str = "", tls: str = "") -> str:
    """Return the part inside ``http``: a proxy at `listen` before `letta`, a host with its port.

    `resolver` is the directive that a name needs, such as ``resolver 127.0.0.11;``. `tls` is what `render_tls` gives.
    """
    return Template(_PROXY.read_text()).substitute(listen=listen, letta=letta, resolver=resolver, tls=tls)


def render_tls(listen: str, folder: Path) -> str:
    """Return the directives of a TLS address with the certificate in `folder`, as `Certificate.write` leaves it."""
    return _TLS.substitute(listen=listen, folder=folder)
