"""The compose suite: silent on a healthy file, and each of its contracts fails for its own reason, at its line."""

from __future__ import annotations

import inspect
import json
import re
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from compose_faults import FAULTS, HEALTHY, FileFault
from killing import stated_ids

from pytest_letta.compose.needs import capability
from pytest_letta.compose.reading import has_compose, read
from pytest_letta.conformance.verdicts import ContractViolation

pytestmark = pytest.mark.skipif(not has_compose(), reason="the plugin `docker compose` is not installed")

_CONTRACTS = Path(__file__).parents[2] / "contracts" / "compose"
#: A password of the healthy files: no text may show it.
_SECRETS = ("Keeps-7-Elephants", "Rides-9-Camels", "Keeps-8-Elephants")


def judge(path: Path) -> dict[str, str | None]:
    """Run the suite's own functions on a file, without pytest around them; return id -> what is wrong.

    Contracts that do not apply to the file are left out.
    """
    file = read(path)
    found: dict[str, str | None] = {}
    for module in sorted(_CONTRACTS.glob("test_*.py")):
        for _, function in inspect.getmembers(import_module(f"contracts.compose.{module.stem}"), inspect.isfunction):
            for mark in getattr(function, "pytestmark", ()):
                if all(capability(need, file).available for need in mark.kwargs["needs"]):
                    found[mark.args[0]] = broken(function, file)
    return found


def broken(function: Any, file: Any) -> str | None:
    try:
        function(file)
    except ContractViolation as violation:
        return str(violation)
    return None


def test_every_promise_is_kept_by_a_healthy_file() -> None:
    assert judge(HEALTHY / "compose.yml") == dict.fromkeys(stated_ids("compose"))


def test_every_contract_is_killed_by_a_fault() -> None:
    assert stated_ids("compose") == {fault.kills for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught_for_its_reason_at_its_line(tmp_path: Path, fault: FileFault) -> None:
    failed = {id: text for id, text in judge(fault.write(tmp_path)).items() if text is not None}

    assert set(failed) == {fault.kills}
    assert re.search(fault.reason, failed[fault.kills]), failed
    assert failed[fault.kills].startswith(f"{fault.found_at(tmp_path)}: ")
    assert not any(secret in failed[fault.kills] for secret in _SECRETS)


def test_the_suite_runs_on_a_file_with_nothing_started(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Without a proxy in the file, the contracts of the proxy say how to name one."""
    shutil.copytree(HEALTHY, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "compose.yml"
    file.write_text(re.sub(r"  letta-nginx:\n.*?(?=  app:\n)", "", file.read_text(), flags=re.DOTALL))
    options = (f"--letta-compose={file}", "--letta-suite=compose", "--letta-report=report.json")

    result = pytester.runpytest_inprocess("-p", "no:schemathesis", "-p", "no:cacheprovider", *options)

    assert result.ret == 0
    report = json.loads(Path("report.json").read_text())
    records = {record["id"]: record for record in report["contracts"]}
    assert report["target"] is None
    assert set(records) == stated_ids("compose")
    assert {id: one["cause"] for id, one in records.items() if one["verdict"] not in {"pass", "not-applicable"}} == {}
    skipped = {id for id, record in records.items() if record["verdict"] == "not-applicable"}
    assert skipped == {id for id in records if id.startswith("COMPOSE-PROXY-")}
    assert "--letta-compose-service nginx=SERVICE" in records["COMPOSE-PROXY-001"]["cause"]
