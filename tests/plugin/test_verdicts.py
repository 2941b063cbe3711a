"""From the outcome of a contract to its verdict, the exit code and the summary."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

PASSING = """
@contract("XOWN-PASS-001")
def test_it(letta_client):
    \"\"\"Health answers.\"\"\"
    must(None if letta_client.get("/v1/health/").status_code == 200 else "no health")
"""

FAILING = """
@contract("XOWN-FAIL-001", level="{level}", because="users wait for it")
def test_it(letta_client):
    \"\"\"The answer is right.\"\"\"
    letta_client.get("/v1/health/")
    must("the answer was wrong")
"""


def test_a_kept_promise_is_a_pass(run_own) -> None:
    result = run_own(PASSING)

    assert result.ret == 0
    result.stdout.fnmatch_lines(["suite * pass *", "own * 1 *", "The deployment keeps its promises: 1 pass."])


def test_a_broken_must_fails_the_run_and_tells_all(run_own) -> None:
    result = run_own(FAILING.format(level="must"))

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "FAIL  XOWN-FAIL-001 (MUST): The answer is right.",
            "  seen     the answer was wrong",
            "  because  users wait for it",
            "  repeat   LETTA_URL=http://127.0.0.1:*",
            '*curl -sSi "$LETTA_URL"/v1/health/*',
        ]
    )


def test_a_broken_should_is_told_and_the_run_stays_green(run_own) -> None:
    result = run_own(FAILING.format(level="should"))

    assert result.ret == 0
    result.stdout.fnmatch_lines(["FAIL  XOWN-FAIL-001 (SHOULD): The answer is right."])


def test_a_level_leaves_lower_contracts_out(run_own) -> None:
    result = run_own(FAILING.format(level="should") + PASSING.replace("test_it", "test_other"), "--letta-level=must")

    assert result.ret == 0
    result.assert_outcomes(passed=1, deselected=result.parseoutcomes()["deselected"])
    assert "XOWN-FAIL-001" not in result.stdout.str()


def test_what_could_not_run_is_never_green(run_own) -> None:
    source = """
@contract("XOWN-LACK-001")
def test_it():
    \"\"\"Something.\"\"\"
    could_not_run("no hammer: buy one")
"""
    result = run_own(source + PASSING.replace("test_it", "test_other"))

    assert result.ret == 6
    result.stdout.fnmatch_lines(["Could not run (1): XOWN-LACK-001", "  no hammer: buy one", "Not complete:*"])


def test_an_incomplete_run_can_be_accepted(run_own) -> None:
    source = """
@contract("XOWN-LACK-001")
def test_it():
    could_not_run("no hammer")
"""
    result = run_own(source + PASSING.replace("test_it", "test_other"), "--letta-allow-incomplete")

    assert result.ret == 0


def test_a_run_in_which_nothing_applied_is_not_green(run_own) -> None:
    source = """
@contract("XOWN-NONE-001")
def test_it():
    not_applicable("no wings")
"""
    result = run_own(source)

    assert result.ret == 5
    result.stdout.fnmatch_lines(["Not applicable (1): XOWN-NONE-001", "  no wings"])


def test_a_missing_capability_is_not_applicable_and_says_how_to_get_it(run_own) -> None:
    source = """
@contract("XOWN-NEED-001", needs=["kill"])
def test_it():
    raise AssertionError("must not run")
"""
    result = run_own(source)

    assert result.ret == 5
    result.stdout.fnmatch_lines(["Not applicable (1): XOWN-NEED-001"])


def test_an_unknown_capability_could_not_run(run_own) -> None:
    result = run_own("""
@contract("XOWN-NEED-002", needs=["wings"])
def test_it():
    pass
""")

    assert result.ret != 0
    result.stdout.fnmatch_lines(["*'wings'*not the name of a capability*"])


def test_a_bug_in_a_contract_is_an_error_of_ours(run_own, pytester) -> None:
    result = run_own(
        """
@contract("XOWN-BUG-001")
def test_it(letta_client):
    {}["no such key"]
""",
        "--letta-report=report.json",
    )

    assert result.ret == 1
    document = json.loads(Path("report.json").read_text())
    assert document["summary"]["error"] == 1
    assert "KeyError" in document["contracts"][0]["cause"]


def test_a_server_that_breaks_the_connection_fails_the_contract(run_own) -> None:
    result = run_own("""
@contract("XOWN-CONN-001")
def test_it(letta_client):
    letta_client.get("http://127.0.0.1:9/")
""")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAIL  XOWN-CONN-001*"])


def known_file(tmp_path: Path, expires: str) -> Path:
    path = tmp_path / "known.yaml"
    path.write_text(
        f"XOWN-FAIL-001: {{reason: being mended, link: 'https://tracker.example/1', since: 0.16.0, "
        f"owner: platform team, expires: {expires}}}\n"
        f"XOWN-PASS-001: {{reason: was broken, link: 'https://tracker.example/2', since: 0.16.0, "
        f"owner: platform team, expires: {expires}}}\n"
    )
    return path


def test_a_known_issue_does_not_fail_the_run(run_own, tmp_path) -> None:
    result = run_own(FAILING.format(level="must"), f"--letta-known={known_file(tmp_path, '2999-01-01')}")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*Known issues*", "  XOWN-FAIL-001", "    being mended*"])


def test_a_known_issue_that_holds_is_stale_and_fails_the_run(run_own, tmp_path) -> None:
    result = run_own(PASSING, f"--letta-known={known_file(tmp_path, '2999-01-01')}")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*stale known issue*"])


def test_an_expired_known_issue_fails_again(run_own, tmp_path) -> None:
    result = run_own(FAILING.format(level="must"), f"--letta-known={known_file(tmp_path, '2020-01-01')}")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*listed as known until 2020-01-01, owner platform team*"])


def test_verdicts_reach_junit(run_own) -> None:
    run_own(FAILING.format(level="must"), "--junit-xml=junit.xml")

    case = ET.parse("junit.xml").getroot().find(".//testcase")
    assert case is not None
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties == {"letta_id": "XOWN-FAIL-001", "letta_level": "must", "letta_verdict": "fail"}
    failure = case.find("failure")
    assert failure is not None
    assert "curl" in str(failure.text)


def test_the_json_report_has_the_promised_shape(run_own, live_stack) -> None:
    run_own(PASSING, "--letta-report=report.json")

    document = json.loads(Path("report.json").read_text())
    assert document["schema"] == "pytest-letta-report/1"
    assert document["target"]["url"] == live_stack.url
    assert document["target"]["version"] == live_stack.version
    assert document["summary"]["pass"] == 1
    assert document["operations"]["documented"] > 200
    assert document["operations"]["exercised"] == 1
    assert {"id", "suite", "level", "title", "verdict", "cause", "duration_s", "curl", "seed", "because"} <= set(
        document["contracts"][0]
    )


def test_without_the_flag_a_marked_test_is_an_ordinary_test(pytester, live_stack) -> None:
    pytester.makepyfile("""
from pytest_letta import contract

@contract("XOWN-PLAIN-001")
def test_it(letta_client):
    assert letta_client.get("/v1/health/").status_code == 200
""")
    result = pytester.runpytest_inprocess("-p", "no:schemathesis", f"--letta-url={live_stack.url}")

    assert result.ret == 0
    assert "Letta conformance" not in result.stdout.str()
