"""A project that does not use the plugin does not notice it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "httpx",
    "hypothesis",
    "schemathesis",
    "docker",
    "testcontainers",
    "yaml",
    "psutil",
    "multiprocessing",
    "pytest_letta.client",
    "pytest_letta.conformance",
    "pytest_letta.stack",
    "pytest_letta.running",
)


def test_an_unused_plugin_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(f"""
import sys

def test_modules():
    assert "pytest_letta.plugin" in sys.modules
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    assert loaded == []
""")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "pytest_letta.plugin"],
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_itself_imports_nothing() -> None:
    code = "import sys, pytest_letta; print([m for m in sys.modules if m.startswith('pytest_letta.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"


def test_an_unused_plugin_says_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "--strict-markers", "-W", "error")

    assert result.ret == 0
    assert "letta:" not in result.stdout.str()
    assert "Letta" not in result.stdout.str()


def test_the_marker_is_registered(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--markers", "-p", "no:schemathesis")

    result.stdout.fnmatch_lines(["@pytest.mark.letta_contract(id, *, level='must', needs=(), because=''): *"])


def test_a_fixture_without_a_deployment_says_what_to_give(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(letta_client): pass")
    result = pytester.runpytest_inprocess("-p", "no:schemathesis")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*this test needs a Letta deployment: give --letta-url URL, or --letta-stack local*"]
    )


def test_help_works_with_a_wrong_setting(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("-p", "no:schemathesis", "--help", "--letta-timeout=abc")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["Letta deployments (pytest-letta):"])
