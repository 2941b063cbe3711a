"""Builds stand-ins for the public images of a Letta stack where no registry can be reached.

The software in them is real, out of Debian and PyPI; names, entry points, variables, ports, users and paths are
those of the public images. ``python tests/images/build.py`` builds what is missing and says what it did. An image
that was built from the same recipe is not built again; one under a public name that is not of ours is left alone.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import docker
import docker.errors

from pytest_letta.stack.letta_env import COMPANIONS
from pytest_letta.stack.releases import release_of

HERE = Path(__file__).parent
LABEL = "pytest-letta.recipe"
BASE = "pytest-letta/debian:bookworm"
_REGISTRY = "https://registry-1.docker.io/v2/"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_PACKAGES = ("ca-certificates", "curl", "wget", "python3", "python3-venv", "python3-pip")


@dataclass(frozen=True)
class Recipe:
    """An image: its name, the folder with its Dockerfile, the image that it is built on, and build arguments."""

    name: str
    folder: str
    parent: str | None = BASE
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Hash of all that the image is made of."""
        found = hashlib.sha256(self.name.encode())
        for file in sorted(path for path in (HERE / self.folder).rglob("*") if path.is_file()):
            found.update(f"{file.name}\0{file.stat().st_mode & 0o111}\0".encode() + file.read_bytes())
        for name, value in sorted(self.arguments.items()):
            found.update(f"{name}={value}\0".encode())
        if self.parent is None:
            found.update(" ".join(_PACKAGES).encode())
        else:
            found.update(RECIPES[self.parent].digest.encode())
        return found.hexdigest()[:16]


def _letta(version: str) -> Recipe:
    release = release_of(version)
    arguments = {
        "VERSION": version,
        "AS_OF": release.as_of,
        "COMPANIONS": " ".join((*(one for one in COMPANIONS if one != "pip"), *release.pins)),
    }
    return Recipe(f"letta/letta:{version}", "letta", "pgvector/pgvector:pg16", arguments)


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(BASE, "base", None),
        Recipe("python:3.11-slim", "python"),
        Recipe("redis:7-alpine", "redis"),
        Recipe("nginx:1.27-alpine", "nginx"),
        Recipe("pgvector/pgvector:pg16", "postgres"),
        _letta("0.16.8"),
        _letta("0.16.5"),
    )
}


def ensure(client: docker.DockerClient, name: str) -> str:
    """Have the image `name` on the engine: there already, pulled or built; return which of these, in a word."""
    recipe = RECIPES[name]
    with _alone(name):
        label = _label(client, name)
        if label == recipe.digest or label == "":
            return "there"
        if label is None and recipe.parent is not None and name != BASE and _has_registry():
            client.images.pull(name)
            return "pulled"
        if recipe.parent is None:
            _bootstrap(recipe)
        else:
            parent = RECIPES[recipe.parent]
            # A public image of that name may be there, and is as good a base, but for the paths of our own.
            ensure(client, parent.name)
            _build(client, recipe)
        return "built"


def _label(client: docker.DockerClient, name: str) -> str | None:
    """Return the recipe of the image on the engine; "" when it is a public one, ``None`` when there is none."""
    try:
        return (client.images.get(name).labels or {}).get(LABEL, "")
    except docker.errors.ImageNotFound:
        return None


@cache
def _has_registry() -> bool:
    try:
        urllib.request.urlopen(_REGISTRY, timeout=3)
    except urllib.error.HTTPError:
        return True  # it wants credentials, so it is there
    except OSError:
        return False
    return True


def _bootstrap(recipe: Recipe) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "base.tar"
        trim = 'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin "$1"/usr/share/doc/* "$1"/usr/share/man/*'
        hooks = [f"--customize-hook={trim}"]
        if _CERTIFICATES.exists():
            # A machine behind a proxy that opens TLS trusts that proxy's own authority, and builds must do so too.
            hooks.append(f"--customize-hook=upload {_CERTIFICATES} {_CERTIFICATES}")
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_PACKAGES)}", *hooks]
        subprocess.run([*command, "bookworm", str(archive)], check=True)
        settings = [f"LABEL {LABEL}={recipe.digest}", f"ENV PIP_CERT={_CERTIFICATES} SSL_CERT_FILE={_CERTIFICATES}"]
        changes = [part for setting in (*settings, 'CMD ["bash"]') for part in ("--change", setting)]
        subprocess.run(
            ["docker", "import", *changes, str(archive), recipe.name], check=True, stdout=subprocess.DEVNULL
        )


def _build(client: docker.DockerClient, recipe: Recipe) -> None:
    try:
        client.images.build(
            path=str(HERE / recipe.folder),
            tag=recipe.name,
            buildargs={"PARENT": str(recipe.parent), **recipe.arguments},
            labels={LABEL: recipe.digest},
            rm=True,
            forcerm=True,
        )
    except docker.errors.BuildError as error:
        log = "".join(line.get("stream", "") for line in error.build_log)
        raise SystemExit(f"{recipe.name} cannot be built: {error}\n{log[-4_000:]}") from error


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Let one process at a time build the image `name`."""
    lock = Path(tempfile.gettempdir()) / f"pytest-letta-image-{name.replace('/', '-').replace(':', '-')}.lock"
    with open(lock, "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="image to have (default: all)")
    names = parser.parse_args(arguments).names or list(RECIPES)
    if unknown := [name for name in names if name not in RECIPES]:
        parser.error(f"no recipe for {unknown[0]}; there are {', '.join(RECIPES)}")
    client = docker.from_env(timeout=1_200)
    for name in names:
        started = time.monotonic()
        done = ensure(client, name)
        print(f"{name}: {done} ({time.monotonic() - started:.1f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
