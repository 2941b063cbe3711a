"""Which versions of Letta the local provider offers."""

from __future__ import annotations

import pytest

from pytest_letta.errors import SettingsError
from pytest_letta.stack.releases import DEFAULT_VERSION, release_of


def test_the_default_version_is_a_release_that_resolves_as_of_a_day() -> None:
    release = release_of(DEFAULT_VERSION)

    assert (release.version, release.as_of) == ("0.16.8", "2026-05-15")


def test_a_release_that_needs_older_companions_pins_them() -> None:
    assert "fastapi==0.116.1" in release_of("0.15.1").pins


def test_an_unknown_version_gets_the_nearest_known_one_as_a_hint() -> None:
    with pytest.raises(SettingsError, match=r"^unknown Letta version '0\.16\.88'\. Did you mean '0\.16\.8'\?"):
        release_of("0.16.88")


@pytest.mark.parametrize("version", ["0.32.0", "0.33.1", "1.0"])
def test_the_other_product_of_the_same_name_is_called_so(version: str) -> None:
    with pytest.raises(SettingsError, match=r"Letta Code, another product.*last server is 0\.16\.8"):
        release_of(version)


@pytest.mark.parametrize("version", ["", "latest", "0.16.8;rm", "0.1", "0.16"])
def test_what_is_no_version_is_refused_in_one_line(version: str) -> None:
    with pytest.raises(SettingsError) as caught:
        release_of(version)

    assert repr(version) in str(caught.value)
    assert "\n" not in str(caught.value)
