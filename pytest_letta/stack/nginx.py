"""nginx, the proxy before Letta."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from pytest_letta.stack import wheels
from pytest_letta.stack.asking import ask
from pytest_letta.stack.process_service import ProcessService, plain_environment
from pytest_letta.stack.rundir import RunDir
from pytest_letta.stack.service import Address

_TEMPLATE = Path(__file__).with_name("nginx.conf")
_PROXY = _TEMPLATE.with_name("nginx_proxy.conf")


class Nginx(ProcessService):
    """nginx that passes requests, bodies up to 64 MiB and event streams through to `letta`."""

    name = "nginx"

    def __init__(self, run: RunDir, address: Address, letta: Address) -> None:
        super().__init__(run, address)
        self._letta = letta

    def command(self) -> Sequence[str]:
        conf = self.folder / "nginx.conf"
        conf.write_text(render(self.folder, self.address, self._letta, as_root=os.geteuid() == 0))
        return [str(wheels.nginx()), "-p", str(self.folder), "-c", str(conf), "-e", "stderr"]

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


def render(folder: Path, listen: Address, letta: Address, *, as_root: bool) -> str:
    """Return the configuration of a proxy at `listen` that keeps all its files in `folder`.

    Started by root, nginx changes to the user ``nobody``, who could not read the folder, unless told to stay root.
    """
    return Template(_TEMPLATE.read_text()).substitute(
        user="user root;" if as_root else "",
        folder=folder,
        access_log=folder / "access.log",
        proxy=render_proxy(str(listen), str(letta)),
    )


def render_proxy(listen: str, letta: str, resolver: str = "") -> str:
    """Return the part inside ``http``: a proxy at `listen` before `letta`, a host with its port.

    `resolver` is the directive that a name needs, such as ``resolver 127.0.0.11;``.
    """
    return Template(_PROXY.read_text()).substitute(listen=listen, letta=letta, resolver=resolver)
