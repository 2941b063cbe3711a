"""The curl lines of a failure, run by a shell against a fresh deployment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from pytest_letta.client import Recorder
from pytest_letta.conformance.reproduction import curl_lines
from pytest_letta.deployment import Deployment
from pytest_letta.exchange import Exchange

URL = "http://127.0.0.1:8283"
PROXY = "http://127.0.0.1:8284"
OLD = "agent-11111111-1111-4111-8111-111111111111"
NEW = "agent-22222222-2222-4222-8222-222222222222"
JSON = (("Content-Type", "application/json"),)

#: Stands for curl and jq: writes its arguments to a file, answers as a fresh server would.
SHELL = """
curl() { printf '%s\\n' "$@" >> sent; printf '{"id":"%s"}' "$NEW"; }
jq() { sed 's/.*"id":"\\([^"]*\\)".*/\\1/'; }
"""


def created(body: dict[str, str]) -> Exchange:
    sent = json.dumps(body).encode()
    return Exchange("POST", f"{URL}/v1/agents/", JSON, sent, 200, JSON, json.dumps({"id": OLD}).encode())


def replayed(tmp_path: Path, exchanges: list[Exchange]) -> list[str]:
    """Run the lines with other addresses than the recorded ones; return the words that curl got."""
    lines = curl_lines(exchanges, Deployment(URL, PROXY))
    fresh = [line.replace("LETTA_URL=http://127.0.0.1:8283", "LETTA_URL=http://fresh:1") for line in lines]
    script = "\n".join([SHELL, *fresh])
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, env={"NEW": NEW, "PATH": "/usr/bin:/bin"}, check=True)
    return (tmp_path / "sent").read_text().splitlines()


def test_an_id_is_taken_from_the_fresh_answer(tmp_path: Path) -> None:
    words = replayed(tmp_path, [created({"name": "x"}), Exchange("GET", f"{URL}/v1/agents/{OLD}", status=200)])

    assert f"http://fresh:1/v1/agents/{NEW}" in words
    assert not any(OLD in word for word in words)


def test_ids_and_addresses_expand_inside_quotes(tmp_path: Path) -> None:
    note = json.dumps({"note": f"it's {OLD}'s"}).encode()
    exchanges = [
        created({"name": 'it\'s "odd" $HOME `x` \\'}),
        Exchange("GET", f"{URL}/v1/agents/{OLD}/messages?limit=1&order=asc", status=200),
        Exchange("PATCH", f"{URL}/v1/agents/{OLD}", JSON, note, 200),
    ]
    words = replayed(tmp_path, exchanges)

    assert f"http://fresh:1/v1/agents/{NEW}/messages?limit=1&order=asc" in words
    assert '{"note":"it\'s ' + NEW + "'s\"}" in words
    assert '{"name":"it\'s \\"odd\\" $HOME `x` \\\\"}' in words


def test_the_run_of_a_stream_is_taken_from_its_events(tmp_path: Path) -> None:
    run = OLD.replace("agent-", "run-")
    kind = (("Content-Type", "text/event-stream; charset=utf-8"),)
    body = f'data: {{"message_type": "ping", "run_id": "{run}"}}\n\n'.encode()
    exchanges = [
        Exchange("POST", f"{URL}/v1/agents/x/messages/stream", (), b"", 200, kind, body),
        Exchange("POST", f"{URL}/v1/runs/{run}/stream", status=200),
    ]
    lines = curl_lines(exchanges, Deployment(URL))

    assert lines[1].startswith("RUN_1=$(curl ")
    assert lines[1].endswith(" | grep -om1 'run-[0-9a-f-]\\{36\\}')")
    assert '"$RUN_1"' in lines[2]


def test_an_id_that_nothing_uses_stays_in_sight() -> None:
    assert "$(" not in "\n".join(curl_lines([created({"name": "x"})], Deployment(URL)))


def test_direct_and_proxied_addresses_are_told_apart() -> None:
    exchanges = [Exchange("GET", f"{base}/v1/health/", status=200) for base in (URL, PROXY)]

    assert curl_lines(exchanges, Deployment(URL, PROXY)) == [
        f"LETTA_URL={URL}",
        f"LETTA_PROXY_URL={PROXY}",
        'curl -sSi "$LETTA_URL"/v1/health/',
        'curl -sSi "$LETTA_PROXY_URL"/v1/health/',
    ]


def test_a_long_sequence_is_cut_in_its_middle() -> None:
    exchanges = [Exchange("GET", f"{URL}/v1/agents/?limit={n}", status=200) for n in range(100)]
    lines = curl_lines(exchanges, None)

    assert len(lines) == 41
    assert "# ... 60 more requests ..." in lines
    assert "limit=0" in lines[0]
    assert "limit=99" in lines[-1]


def test_commands_stand_between_the_requests_where_they_were_carried_out() -> None:
    recorder = Recorder()
    for number in range(2):
        recorder.note(f"docker restart letta-{number}")
        recorder.add(Exchange("DELETE", f"{URL}/v1/agents/{number}", status=200, number=recorder.begin()))
    lines = curl_lines(recorder.story_since(0), None)

    assert [line.split("/")[-1] for line in lines] == ["docker restart letta-0", "0", "docker restart letta-1", "1"]


def test_of_a_random_sequence_the_checks_between_are_left_out() -> None:
    recorder = Recorder()
    for number in range(10):
        recorder.add(Exchange("PATCH", f"{URL}/v1/agents/{number}", status=200, number=recorder.begin()))
        recorder.add(Exchange("GET", f"{URL}/v1/agents/{number}", status=200, number=recorder.begin()))
        if number == 4:
            recorder.start_afresh()
    lines = curl_lines(recorder.story_since(0), None, reads_are_checks=True)

    assert ["PATCH" in line for line in lines] == [True] * 4 + [False, True, False]
    assert [line.split("/")[-1] for line in lines] == ["5", "6", "7", "8", "8", "9", "9"]


def test_without_a_deployment_the_addresses_stay() -> None:
    assert curl_lines([Exchange("GET", f"{URL}/x", status=404)], None) == [f"curl -sSi {URL}/x"]
