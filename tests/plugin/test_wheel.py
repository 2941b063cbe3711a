"""The wheel, installed alone in a fresh environment, runs the contracts from an empty folder."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from pytest_letta.stack.stack import Stack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that this checkout builds, by way of the sdist as a release is."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """An empty project folder with its environment inside, as many have it."""
    folder = tmp_path_factory.mktemp("project")
    venv.create(folder / ".venv", with_pip=True)
    pip = [str(folder / ".venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(project: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [str(project / ".venv" / "bin" / "pytest"), *args]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)


def test_the_contracts_run_from_an_empty_folder(project: Path, live_stack: Stack) -> None:
    done = run(
        project,
        *(f"--letta-url={live_stack.url}", f"--letta-proxy-url={live_stack.proxy_url}"),
        *("--letta-contracts", "--letta-report=report.json"),
    )

    # What takes an extra could not run, and says which.
    assert done.returncode == 6, done.stdout + done.stderr
    document = json.loads((project / "report.json").read_text())
    assert {contract["suite"] for contract in document["contracts"]} == {
        "rest",
        "memory",
        "network",
        "streaming",
    }
    assert document["summary"]["pass"] > 0
    assert not document["summary"]["fail"] + document["summary"]["error"]
    not_run = [contract for contract in document["contracts"] if contract["verdict"] == "could-not-run"]
    assert {contract["id"].partition("[")[0] for contract in not_run} == {
        "REST-FUZZ-001",
        "REST-LINKS-001",
        "REST-WALK-001",
    }
    assert all("pip install 'pytest-letta[contracts]'" in contract["cause"] for contract in not_run)
    assert document["leftovers"] == []


def test_a_suite_can_be_chosen_and_odd_file_patterns_do_no_harm(project: Path, live_stack: Stack) -> None:
    done = run(
        project,
        *(f"--letta-url={live_stack.url}", "--letta-suite=rest", "--letta-report=report.json"),
        *("-o", "python_files=check_*.py", "-k", "REST-HEALTH-001"),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads((project / "report.json").read_text())
    assert [contract["id"] for contract in document["contracts"]] == ["REST-HEALTH-001"]


def test_a_missing_extra_names_the_command_that_installs_it(project: Path) -> None:
    done = run(project, "--letta-stack=local", "--letta-contracts")

    assert done.returncode == 4
    assert "pip install 'pytest-letta[local]'" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_console_script_works_without_any_extra(project: Path) -> None:
    script = str(project / ".venv" / "bin" / "pytest-letta")
    shown, started = (
        subprocess.run([script, *arguments], capture_output=True, text=True, timeout=60, check=False)
        for arguments in (["ps", "--json"], ["up", "--stack", "docker"])
    )

    assert (shown.returncode, started.returncode) == (0, 2), shown.stderr
    assert "pip install 'pytest-letta[docker]'" in started.stderr
    assert "Traceback" not in started.stderr


def test_the_wheel_carries_the_licence_the_types_and_the_known_issues(wheel: Path) -> None:
    import zipfile

    names = zipfile.ZipFile(wheel).namelist()

    assert "pytest_letta/py.typed" in names
    assert "pytest_letta/contracts/known/0.16.8.yaml" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any(name.startswith(("contracts/", "tests/")) for name in names)
