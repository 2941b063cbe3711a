"""Isolation: the private copy of a compose file names, publishes and mounts nothing of its owner's."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from composed import composed

from pytest_letta.compose.bindings import Binder
from pytest_letta.compose.isolation import Wishes, isolate
from pytest_letta.errors import ComposeFileError

LABELS = {"pytest-letta.run": "0123abcd"}


def isolated(text: str, folder: Path, *, without: frozenset[str] = frozenset(), **wishes: Any) -> dict[str, Any]:
    copies = folder / "copies"
    copies.mkdir(exist_ok=True)
    wanted = {"publish": {"letta": {8283: [20_001]}}, "environment": {}, **wishes}
    made = Wishes(project="copy", labels=LABELS, publish_ip="127.0.0.1", without=without, **wanted)
    return isolate(composed(text), made, Binder(copies))


OWNERS = """
    name: letta
    x-note: {any: thing}
    services:
      letta:
        image: letta/letta:0.16.8
        container_name: letta-server
        restart: unless-stopped
        profiles: [brain]
        labels: {traefik.enable: "true"}
        logging: {driver: syslog}
        deploy: {restart_policy: {condition: any}, resources: {limits: {memory: 2G}}}
        environment: {PRICE: 5$$, OPENAI_API_BASE: "http://theirs"}
        ports: [{mode: ingress, target: 8283, published: "8283", protocol: tcp}]
        networks: {letta-network: {aliases: [brain], ipv4_address: 172.22.0.9}}
        depends_on: {db: {condition: service_healthy}, bot: {condition: service_started}}
        healthcheck: {test: [CMD, curl, -f, "http://localhost:8283/v1/health/"], interval: 30s}
      db:
        image: postgres:16
        networks: {letta-network: null}
        volumes: [{type: volume, source: data, target: /var/lib/postgresql/data}]
        ports: [{target: 5432, published: "5432", host_ip: 0.0.0.0}, {target: 53, published: "53", protocol: udp}]
      bot: {image: "bot:1", networks: {default: null}}
    networks:
      letta-network: {name: letta-network, external: true, ipam: {config: [{subnet: 172.22.0.0/16}]}}
      inside: {name: letta_inside, internal: true, driver_opts: {com.docker.network.bridge.name: br-letta}}
    volumes:
      data: {name: letta-data, external: true, driver_opts: {device: /srv/letta, o: bind, type: none}}
"""


def test_names_and_networks_and_volumes_are_of_the_copy(tmp_path: Path) -> None:
    model = isolated(OWNERS, tmp_path)

    assert model["name"] == "copy"
    assert "x-note" not in model
    assert model["volumes"] == {"data": {"labels": LABELS}}
    assert model["networks"] == {
        "default": {"labels": LABELS},
        "letta-network": {"labels": LABELS},
        "inside": {"labels": LABELS, "internal": True},
    }


def test_a_service_keeps_what_it_is_and_loses_what_is_its_owners(tmp_path: Path) -> None:
    letta = isolated(OWNERS, tmp_path)["services"]["letta"]

    assert set(letta) == {
        *("image", "deploy", "environment", "ports", "networks", "depends_on", "healthcheck", "labels", "volumes"),
    }
    assert letta["labels"] == LABELS
    assert letta["deploy"] == {"resources": {"limits": {"memory": "2G"}}}
    assert letta["healthcheck"]["interval"] == "30s"
    assert letta["environment"]["PRICE"] == "5$$"


def test_the_container_name_goes_on_as_a_name_on_the_networks(tmp_path: Path) -> None:
    letta = isolated(OWNERS, tmp_path)["services"]["letta"]

    assert letta["networks"] == {"letta-network": {"aliases": ["brain", "letta-server"]}}


def test_ports_are_those_that_were_chosen_or_any(tmp_path: Path) -> None:
    services = isolated(OWNERS, tmp_path, publish={"letta": {8283: [20_001, 20_002, 20_003]}})["services"]

    local = {"mode": "ingress", "host_ip": "127.0.0.1", "protocol": "tcp"}
    assert services["letta"]["ports"] == [{**local, "target": 8283, "published": "20001-20003"}]
    assert services["db"]["ports"] == [{**local, "target": 5432}]


def test_what_letta_is_told_instead_is_written_for_compose(tmp_path: Path) -> None:
    model = isolated(OWNERS, tmp_path, environment={"OPENAI_API_BASE": "http://a$b"}, networks=["copy-model"])

    assert model["services"]["letta"]["environment"]["OPENAI_API_BASE"] == "http://a$$b"
    assert set(model["services"]["letta"]["networks"]) == {"letta-network", "copy-model"}
    assert model["networks"]["copy-model"] == {"name": "copy-model", "external": True}


def test_a_service_may_be_left_out(tmp_path: Path) -> None:
    services = isolated(OWNERS, tmp_path, without=frozenset({"bot"}))["services"]

    assert set(services) == {"letta", "db"}
    assert set(services["letta"]["depends_on"]) == {"db"}


def test_images_that_are_built_get_a_name_of_the_copy(tmp_path: Path) -> None:
    services = isolated(
        """
        services:
          letta: {image: "letta/letta:1"}
          app: {image: "mine:latest", pull_policy: always, build: {context: /src, tags: [mine:2], cache_to: [x]}}
          worker: {image: "mine:latest"}
        """,
        tmp_path,
    )["services"]

    assert services["app"]["image"] == services["worker"]["image"] == "copy-app"
    assert services["app"]["build"] == {"context": "/src", "labels": LABELS}


def test_a_service_on_internal_networks_alone_is_reached_by_a_further_one(tmp_path: Path) -> None:
    model = isolated(
        """
        services:
          letta: {image: "letta/letta:1", networks: {inside: null}}
        networks: {inside: {internal: true}}
        """,
        tmp_path,
    )

    (further,) = set(model["services"]["letta"]["networks"]) - {"inside"}
    assert "internal" not in model["networks"][further]


def test_bound_files_are_read_only_copies(tmp_path: Path) -> None:
    source = tmp_path / "conf.d"
    source.mkdir()
    (source / "a.conf").write_text("listen 80;")
    text = f"""
        services:
          letta:
            image: letta/letta:1
            volumes:
              - {{type: bind, source: {source}, target: /etc/conf.d}}
              - {{type: bind, source: {source}/a.conf, target: /etc/a.conf}}
    """

    folder, file = isolated(text, tmp_path)["services"]["letta"]["volumes"]

    assert folder["read_only"]
    assert file["read_only"]
    assert (Path(folder["source"]) / "a.conf").read_text() == Path(file["source"]).read_text() == "listen 80;"
    assert not Path(folder["source"]).is_relative_to(source)
    assert not Path(file["source"]).is_relative_to(source)


@pytest.mark.parametrize(
    ("role", "image", "target"),
    [
        ("postgres", "pgvector/pgvector:pg16", "/var/lib/postgresql/data"),
        ("postgres", "pgvector/pgvector:pg18", "/var/lib/postgresql"),
        ("redis", "redis:7", "/data"),
    ],
)
def test_a_folder_of_data_is_an_empty_volume_in_the_copy(tmp_path: Path, role, image, target) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("16")
    text = f"""
        services:
          letta: {{image: "letta/letta:1"}}
          store: {{image: "{image}", volumes: [{{type: bind, source: {data}, target: {target}}}]}}
    """
    copies = tmp_path / "copies"
    copies.mkdir()
    binder = Binder(copies)
    wishes = Wishes(project="copy", labels=LABELS, publish_ip="127.0.0.1", publish={}, environment={})

    model = isolate(composed(text, letta="letta", **{role: "store"}), wishes, binder)

    (mount,) = model["services"]["store"]["volumes"]
    assert (mount["type"], mount["target"]) == ("volume", target)
    assert model["volumes"][mount["source"]] == {"labels": LABELS}
    assert not list(copies.iterdir())
    assert any(str(data) in note and target in note for note in binder.notes)


def test_a_socket_is_left_out_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    copies = tmp_path / "copies"
    copies.mkdir()
    binder = Binder(copies)
    text = f"""
        services:
          letta: {{image: "letta/letta:1", volumes: [{{type: bind, source: {path}, target: /var/run/docker.sock}}]}}
    """
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        wishes = Wishes(project="copy", labels=LABELS, publish_ip="127.0.0.1", publish={}, environment={})
        model = isolate(composed(text), wishes, binder)

    assert model["services"]["letta"]["volumes"] == []
    assert any("compose.yml:3" in note and "docker.sock" in note for note in binder.notes)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("network_mode: host", "network_mode of app cannot be made private"),
        ("network_mode: container:other", "leads to containers of yours"),
        ("pid: host", "pid of app"),
        ("ipc: host", "ipc of app"),
        ("privileged: true", "privileged of app"),
        ("devices: [{source: /dev/kvm, target: /dev/kvm}]", "devices of app"),
        ("cap_add: [NET_ADMIN, CAP_SYS_ADMIN]", "cap_add of app"),
        ("external_links: [other]", "external_links of app"),
        ("volumes_from: ['container:other']", "volumes_from of app"),
        ("volumes: [{type: bind, source: /proc, target: /host/proc}]", "app mounts /proc"),
        ("volumes: [{type: bind, source: /, target: /rootfs}]", "app mounts /"),
        ("provider: {type: model}", "provider of app"),
    ],
)
def test_what_cannot_be_made_private_is_refused_by_its_line(tmp_path: Path, line, told) -> None:
    text = f"services:\n  letta: {{image: 'letta/letta:1'}}\n  app:\n    image: app:1\n    {line}\n"

    with pytest.raises(ComposeFileError) as caught:
        isolated(text, tmp_path)

    assert str(caught.value).startswith("compose.yml:5: ")
    assert told in str(caught.value)
    assert "without=" in str(caught.value)
    assert set(isolated(text, tmp_path, without=frozenset({"app"}))["services"]) == {"letta"}


@pytest.mark.parametrize(
    "line", ["privileged: false", "cap_add: [NET_ADMIN]", "network_mode: bridge", "ipc: private"]
)
def test_what_stays_inside_of_the_copy_is_kept(tmp_path: Path, line) -> None:
    text = f"services:\n  letta: {{image: 'letta/letta:1'}}\n  app:\n    image: app:1\n    {line}\n"

    assert "app" in isolated(text, tmp_path)["services"]


def test_a_service_that_is_needed_is_not_left_out(tmp_path: Path) -> None:
    text = "services: {letta: {image: x}, side: {image: y, network_mode: 'service:app'}, app: {image: z}}"

    with pytest.raises(ComposeFileError, match="network_mode of side needs app, which is left out"):
        isolated(text, tmp_path, without=frozenset({"app"}))


def test_a_fixed_address_that_others_are_told_is_refused(tmp_path: Path) -> None:
    text = """
        services:
          letta: {image: "letta/letta:1", environment: {LETTA_REDIS_HOST: 172.22.0.5}}
          cache:
            image: redis:7
            networks:
              own: {ipv4_address: 172.22.0.5}
        networks: {own: null}
    """

    with pytest.raises(ComposeFileError, match=r"compose.yml:7: letta is told the address 172.22.0.5 of cache"):
        isolated(text, tmp_path)


def test_an_external_secret_is_refused(tmp_path: Path) -> None:
    text = "services:\n  letta: {image: 'letta/letta:1'}\nsecrets:\n  key:\n    external: true\n"

    with pytest.raises(ComposeFileError, match=r"compose.yml:4: secrets key is external"):
        isolated(text, tmp_path)


def test_a_folder_that_is_too_big_is_refused_by_its_line(tmp_path: Path) -> None:
    source = tmp_path / "vault"
    source.mkdir()
    with open(source / "big", "wb") as big:
        big.truncate(300 * 1024 * 1024)  # a hole: no disk is used
    text = f"""\
services:
  letta:
    image: letta/letta:1
    volumes: [{{type: bind, source: {source}, target: /vault}}]
"""

    with pytest.raises(ComposeFileError, match=r"compose.yml:4: .*vault holds more than 256 MiB"):
        isolated(text, tmp_path)
