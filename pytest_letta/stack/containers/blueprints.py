"""What each container of the Docker provider is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest_letta
from pytest_letta.stack.certificate import Certificate
from pytest_letta.stack.containers import asking
from pytest_letta.stack.model import SERVER_ENVIRONMENT
from pytest_letta.stack.nginx import render_proxy, render_tls

USER = DATABASE = "letta"

#: Where a container of Letta's image finds the scripted model, which is copied into it.
_SOURCE = "/opt/pytest-letta"
_MODEL_PORT, _LETTA_PORT, _NGINX_PORT, _TLS_PORT, _POSTGRES_PORT = 8080, 8283, 8284, 8443, 5432
_CERTIFICATES = Path("/etc/nginx/tls")

#: Has Letta use the scripted model; the second name of the base URL is that of newer releases.
MODEL_ENVIRONMENT = {
    "OPENAI_API_KEY": "dummy",
    "OPENAI_API_BASE": f"http://letta-llm:{_MODEL_PORT}/v1",
    "OPENAI_BASE_URL": f"http://letta-llm:{_MODEL_PORT}/v1",
}

# The data is thrown away, so nothing has to survive a loss of power; a kill of the container loses nothing by that.
_POSTGRES = ["postgres", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """One container: its image, its name on the network, and what it is given.

    `port` and `tls_port` are published on the host; ``None`` publishes nothing. `volume` is the path at which its
    named volume is mounted. `files` are copied in before the start: content or source, and path. `healthy` is the
    command of the container's health check. `question` is what we ask from outside.
    """

    image: str
    hostname: str
    question: asking.Question
    healthy: str
    port: int | None = None
    tls_port: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = None
    volume: str | None = None
    files: tuple[tuple[bytes | Path, str], ...] = ()


def blueprints(
    images: Mapping[str, str],
    *,
    password: str,
    letta_env: Mapping[str, str],
    token: str | None,
    certificate: Certificate,
) -> dict[str, Blueprint]:
    """Return service -> blueprint of a stack.

    `password` is that of Postgres, `letta_env` is put over Letta's own, `certificate` is that of the proxy.
    """
    return {
        "postgres": _postgres(images["postgres"], password),
        "redis": Blueprint(
            images["redis"],
            "letta-redis",
            asking.redis,
            "redis-cli ping",
            # The snapshot settings of the image: an orderly stop saves, a kill loses.
            command=["redis-server", "--save", "3600 1 300 100 60 10000"],
            volume="/data",
        ),
        "llm": model(images["letta"]),
        "nginx": _nginx(images["nginx"], certificate),
        "letta": _letta(images["letta"], password, letta_env, token),
    }


def database_uri(password: str, host: str, database: str = DATABASE) -> str:
    """Return the URI of a database of the Postgres at `host`, which may carry a port.

    Without sslmode: Letta's image migrates by this URI, and pg8000 refuses that word.
    """
    return f"postgresql://{USER}:{password}@{host if ':' in host else f'{host}:{_POSTGRES_PORT}'}/{database}"


def _postgres(image: str, password: str) -> Blueprint:
    return Blueprint(
        image,
        "letta-postgres",
        asking.postgres,
        f"pg_isready -h 127.0.0.1 -U {USER} -d {DATABASE}",
        port=_POSTGRES_PORT,
        environment={"POSTGRES_USER": USER, "POSTGRES_PASSWORD": password, "POSTGRES_DB": DATABASE},
        command=_POSTGRES,
        volume="/var/lib/postgresql/data",
        files=((b"CREATE EXTENSION IF NOT EXISTS vector;\n", "/docker-entrypoint-initdb.d/vector.sql"),),
    )


def model(image: str) -> Blueprint:
    """Return the scripted model, run by the Python that every image of Letta has: it needs no image of its own."""
    package = Path(str(pytest_letta.__file__)).parent
    return Blueprint(
        image,
        "letta-llm",
        asking.http("/health"),
        f"curl -fsS http://127.0.0.1:{_MODEL_PORT}/health",
        port=_MODEL_PORT,
        environment={"PYTHONPATH": _SOURCE, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        entrypoint=["python3"],
        command=["-m", "pytest_letta.llm", "--host", "0.0.0.0", "--port", str(_MODEL_PORT)],
        files=tuple(
            (source.read_bytes(), f"{_SOURCE}/pytest_letta/{source.relative_to(package)}")
            for source in (package / "__init__.py", package / "errors.py", *sorted((package / "llm").glob("*.py")))
        ),
    )


def _nginx(image: str, certificate: Certificate) -> Blueprint:
    # The image fills in the name servers of the container's network, whichever engine that is.
    conf = render_proxy(
        str(_NGINX_PORT),
        f"letta-server:{_LETTA_PORT}",
        "resolver ${NGINX_LOCAL_RESOLVERS} valid=1s;",
        render_tls(str(_TLS_PORT), _CERTIFICATES),
    )
    return Blueprint(
        image,
        "letta-nginx",
        asking.http("/nginx-health"),
        f"curl -fsS http://127.0.0.1:{_NGINX_PORT}/nginx-health",
        port=_NGINX_PORT,
        tls_port=_TLS_PORT,
        environment={"NGINX_ENTRYPOINT_LOCAL_RESOLVERS": "1"},
        files=(
            (conf.encode(), "/etc/nginx/templates/default.conf.template"),
            (certificate.chain, f"{_CERTIFICATES}/chain.pem"),
            (certificate.key, f"{_CERTIFICATES}/key.pem"),
        ),
    )


def _letta(image: str, password: str, letta_env: Mapping[str, str], token: str | None) -> Blueprint:
    return Blueprint(
        image,
        "letta-server",
        asking.letta(token),
        f"curl -fsS http://127.0.0.1:{_LETTA_PORT}/v1/health/",
        port=_LETTA_PORT,
        environment={
            "LETTA_PG_URI": database_uri(password, "letta-postgres"),
            "LETTA_REDIS_HOST": "letta-redis",
            "LETTA_REDIS_PORT": "6379",
            # Without it Letta believes no proxy but one on its own loopback address, and redirects lead to http.
            "FORWARDED_ALLOW_IPS": "*",
            **MODEL_ENVIRONMENT,
            **SERVER_ENVIRONMENT,
            **letta_env,
        },
    )
