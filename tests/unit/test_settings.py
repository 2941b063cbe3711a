"""Settings: option > environment > ini > default, and one clear line for each that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_letta.errors import SettingsError
from pytest_letta.options import DEFAULT_VERSION, OPTIONS
from pytest_letta.settings import resolve


class FakeConfig:
    """The two methods of `pytest.Config` that `resolve` reads."""

    def __init__(self, options: dict[str, object] | None = None, ini: dict[str, str] | None = None) -> None:
        self._options = options or {}
        self._ini = ini or {}

    def getoption(self, name: str, default: object = None) -> object:
        return self._options.get(name, default)

    def getini(self, name: str) -> str | None:
        return self._ini.get(name)


def settings_of(options=None, env=None, ini=None):
    return resolve(FakeConfig(options, ini), env or {})


def test_nothing_set_means_nothing_used() -> None:
    settings = settings_of()

    assert not settings.is_used
    assert settings.version == DEFAULT_VERSION
    assert settings.sources == {}


@pytest.mark.parametrize(
    ("options", "env", "ini", "url", "source"),
    [
        (
            {"letta_url": "http://a"},
            {"PYTEST_LETTA_URL": "http://b"},
            {"letta_url": "http://c"},
            "http://a",
            "--letta-url",
        ),
        ({}, {"PYTEST_LETTA_URL": "http://b"}, {"letta_url": "http://c"}, "http://b", "env PYTEST_LETTA_URL"),
        ({}, {}, {"letta_url": "http://c"}, "http://c", "ini letta_url"),
    ],
)
def test_option_beats_environment_beats_ini(options, env, ini, url, source) -> None:
    settings = settings_of(options, env, ini)

    assert settings.url == url
    assert settings.sources["url"] == source


def test_the_token_is_read_from_the_variable_of_the_sdk_and_never_shown() -> None:
    settings = settings_of(env={"LETTA_API_KEY": "hunter2"})

    assert settings.token == "hunter2"
    assert settings.sources["token"] == "env LETTA_API_KEY"
    assert "hunter2" not in repr(settings)


def test_a_suite_implies_contracts() -> None:
    settings = settings_of({"letta_suite": ["rest"], "letta_url": "http://a"})

    assert settings.contracts
    assert settings.suite == ("rest",)


def test_a_compose_file_is_the_stack_when_nothing_else_is_named(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.touch()
    compose = {"letta_compose": str(file), "letta_contracts": True}

    assert settings_of(compose).stack == "compose"
    assert settings_of(compose).sources["stack"] == "--letta-compose"
    assert settings_of({**compose, "letta_url": "http://a"}).stack == "none"
    assert settings_of({**compose, "letta_stack": "local"}).stack == "local"


def test_the_suite_of_the_file_alone_needs_no_stack(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.touch()

    assert settings_of({"letta_compose": str(file), "letta_suite": ["compose"]}).stack == "none"


def test_a_compose_file_without_a_stack_is_judged_alone(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.touch()
    compose = {"letta_compose": str(file), "letta_stack": "none"}

    assert settings_of({**compose, "letta_contracts": True}).suite == ("compose",)
    assert settings_of({**compose, "letta_suite": ["compose"]}).suite == ("compose",)
    with pytest.raises(SettingsError, match="there is no deployment to test"):
        settings_of({**compose, "letta_suite": ["rest"]})


def test_repeatable_values_of_the_environment_are_split() -> None:
    settings = settings_of({"letta_url": "http://a"}, env={"PYTEST_LETTA_SUITE": "rest, memory"})

    assert settings.suite == ("rest", "memory")


def test_a_path_prefix_is_kept_without_its_trailing_slash() -> None:
    assert settings_of({"letta_url": "https://host.example/letta/"}).url == "https://host.example/letta"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"letta_url": "localhost:8283"}, "must be a URL with its scheme"),
        ({"letta_url": "ftp://host"}, "must be a URL with its scheme"),
        ({"letta_url": "http://user:secret@host"}, "must not hold credentials"),
        ({"letta_url": "http://host:99999"}, "must be a URL"),
        ({"letta_url": "http://[::1"}, "must be a URL"),
        ({"letta_url": "http://host/?a=1"}, "must not have a query"),
        ({"letta_url": ""}, "must be a URL"),
        ({"letta_origin": "https://ade.example/app"}, "without a path"),
        ({"letta_level": "mustt"}, "did you mean 'must'?"),
        ({"letta_stack": "lokal"}, "did you mean 'local'?"),
        ({"letta_timeout": "0"}, "must be a positive number of seconds"),
        ({"letta_timeout": "nan"}, "must be a positive number of seconds"),
        ({"letta_contracts": "perhaps"}, "must be true or false"),
        ({"letta_known": "/no/such/file.yaml"}, "must be a file that exists"),
        ({"letta_report": ["out.xml"]}, "must end in .json"),
        ({"letta_report": ["/no/such/folder/out.json"]}, "there is no folder"),
        ({"letta_contracts": True}, "there is no deployment to test"),
        ({"letta_compose": "/no/such/compose.yml"}, "must be a file that exists"),
        ({"letta_stack": "compose"}, "give --letta-compose FILE"),
        ({"letta_compose_service": ["letta=brain"]}, "needs letta_compose"),
        ({"letta_compose_service": ["brain=letta"]}, "must be ROLE=SERVICE, with one of letta, postgres"),
        ({"letta_compose_service": ["without="]}, "must be ROLE=SERVICE"),
        ({"letta_url": "http://a", "letta_stack": "local"}, "exclude each other"),
        ({"letta_proxy_url": "http://a"}, "needs letta_url"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(options, told) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of(options)

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_credentials_in_a_url_are_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of({"letta_url": "http://user:secret@host"})

    assert "secret" not in str(caught.value)


def test_the_source_of_a_wrong_value_is_named() -> None:
    with pytest.raises(SettingsError, match=r"from env PYTEST_LETTA_TIMEOUT"):
        settings_of(env={"PYTEST_LETTA_TIMEOUT": "abc"})


def test_every_option_has_a_flag_an_ini_name_and_a_variable() -> None:
    for option in OPTIONS:
        assert option.flag.startswith("--letta-")
        assert option.ini == "letta_" + option.flag.removeprefix("--letta-").replace("-", "_")
        assert option.env[0] == f"PYTEST_{option.ini.upper()}"
        assert option.help.endswith(".")


def test_the_cache_follows_xdg(tmp_path: Path) -> None:
    assert settings_of(env={"XDG_CACHE_HOME": str(tmp_path)}).cache_dir == tmp_path / "pytest-letta"
