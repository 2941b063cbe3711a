"""pytest entry point: registers options, markers and hooks; every heavy import waits until it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_letta.errors import PytestLettaError, SettingsError
from pytest_letta.options import THOROUGH
from pytest_letta.settings import Settings, add_options, resolve

if TYPE_CHECKING:
    from pytest_letta.running import Running

pytest_plugins = ("pytest_letta.fixtures", "pytest_letta.contract_fixtures")

SETTINGS = pytest.StashKey[Settings]()
RUNNING: pytest.StashKey[Running] = pytest.StashKey()

#: With these pytest only tells about itself; a wrong setting must not keep it from that.
_INFORMATION_ONLY = ("help", "version", "markers", "showfixtures", "show_fixtures_per_test")


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("hypothesis_profile", default=None) == THOROUGH:
        from pytest_letta.conformance.sequences import register_profile

        register_profile()  # before the plugin of Hypothesis looks for it
    config.addinivalue_line(
        "markers",
        "letta_contract(id, *, level='must', needs=(), because=''): one promise of a Letta deployment, "
        "judged when --letta-contracts is given.",
    )
    if any(config.getoption(name, default=False) for name in _INFORMATION_ONLY):
        return
    try:
        config.stash[SETTINGS] = resolve(config)
        if config.stash[SETTINGS].is_used:
            from pytest_letta.running import Running

            config.stash[RUNNING] = Running(config, config.stash[SETTINGS])
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUNNING in config.stash:
        config.stash[RUNNING].close()


def pytest_report_header(config: pytest.Config) -> list[str]:
    settings = config.stash.get(SETTINGS, None)
    if settings is None or not settings.is_used:
        return []
    told = [
        f"{name}={'***' if name == 'token' else _plain(getattr(settings, name))} ({source})"
        for name, source in settings.sources.items()
    ]
    return [f"letta: {', '.join(told)}"]


def pytest_sessionstart(session: pytest.Session) -> None:
    running = session.config.stash.get(RUNNING, None)
    if running is None or session.config.getoption("collectonly"):
        return
    try:
        running.check_target()
    except PytestLettaError as error:
        raise pytest.UsageError(str(error)) from None


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
