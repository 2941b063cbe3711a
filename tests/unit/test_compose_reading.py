"""Reading: what a compose file says through compose, with profiles, files and dollar signs, and what it refuses."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from composed import needs_compose

from pytest_letta.compose.reading import read
from pytest_letta.errors import ComposeFileError, SettingsError

pytestmark = needs_compose


def written(folder: Path, text: str, **files: str) -> Path:
    path = folder / "compose.yml"
    path.write_text(text)
    for name, content in files.items():
        (folder / name.replace("_env", ".env")).write_text(content)
    return path


def test_values_are_those_that_containers_get(tmp_path: Path) -> None:
    """Interpolated from .env, taken from an environment file, with one dollar sign where two are written."""
    path = written(
        tmp_path,
        "services:\n  letta:\n    image: letta/letta:${TAG}\n    env_file: [more.env]\n"
        "    environment:\n      PRICE: 5$$\n      UNSET:\n",
        more_env="FROM_FILE=yes\n",
        _env="TAG=0.16.8\n",
    )

    file = read(path)

    assert file.letta["image"] == "letta/letta:0.16.8"
    assert file.environment("letta") == {"FROM_FILE": "yes", "PRICE": "5$"}
    assert str(file.place_of_variable("letta", "PRICE")) == "compose.yml:6"
    assert str(file.place_of_variable("letta", "FROM_FILE")) == "more.env:1"


def test_services_of_other_files_and_profiles_come_as_compose_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPOSE_PROFILES", "proxy")
    (tmp_path / "more.yml").write_text("services:\n  cache:\n    image: redis:7\n")
    path = written(
        tmp_path,
        "include: [more.yml]\nservices:\n  letta: {image: 'letta/letta:1'}\n"
        "  web: {image: 'nginx:1', profiles: [proxy], ports: ['80'], depends_on: [letta]}\n"
        "  graphs: {image: 'grafana:1', profiles: [monitoring]}\n",
    )

    file = read(path)

    assert set(file.services) == {"letta", "cache", "web"}
    assert file.roles == {"letta": "letta", "redis": "cache", "nginx": "web"}
    assert str(file.place("cache", "image")) == "more.yml:3"
    assert str(file.place("web", "image")) == "compose.yml:4"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("services:\n  letta:\n   image: x\n  y: [\n", 4, "did not find expected node content"),
        ("services:\n  letta:\n    image: x\n    image: y\n", 4, 'mapping key "image" already defined'),
        ("services:\n  letta:\n    image: x\n    imagee: y\n", 4, "imagee is not allowed"),
        ("services:\n  letta:\n    image: ${NOT_SET:?give it}\n", 3, "give it"),
        ("services:\n  letta:\n    image: x\n    depends_on: [gone]\n", 4, 'undefined service "gone"'),
        ("services:\n  letta:\n    image: x\n    volumes: [data:/x]\n", 2, "undefined volume data"),
    ],
    ids=["syntax", "twice", "unknown-key", "variable", "dependency", "volume"],
)
def test_what_compose_refuses_is_told_with_its_line(tmp_path: Path, text, line, told) -> None:
    path = written(tmp_path, text)

    with pytest.raises(ComposeFileError) as caught:
        read(path)

    assert str(caught.value).startswith(f"{path}:{line}: compose refuses the file: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services: {}\n", "has no service that is active"),
        ("services: {a: {image: x, profiles: [off]}}\n", "COMPOSE_PROFILES"),
        ("\x00", "compose.yml"),
    ],
    ids=["empty", "profiles", "binary"],
)
def test_a_file_that_says_nothing_is_refused(tmp_path: Path, text, told) -> None:
    with pytest.raises(ComposeFileError, match=told):
        read(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComposeFileError, match="cannot be read"):
        read(tmp_path / "none.yml")


@pytest.mark.parametrize("docker", [None, "#!/bin/sh\necho 'unknown command: docker compose' >&2; exit 1\n"])
def test_without_the_plugin_it_is_told_how_to_install_it(tmp_path: Path, monkeypatch, docker) -> None:
    path = written(tmp_path, "services: {letta: {image: 'letta/letta:1'}}\n")
    folder = tmp_path / "bin"
    folder.mkdir()
    if docker is not None:
        (folder / "docker").write_text(docker)
        (folder / "docker").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(folder))

    with pytest.raises(SettingsError, match="apt-get install docker-compose-plugin"):
        read(path)
