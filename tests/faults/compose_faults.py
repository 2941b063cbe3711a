"""Mistakes in a compose file and what belongs to it, each an edit of the healthy files in ``compose/``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HEALTHY = Path(__file__).with_name("compose")


@dataclass(frozen=True)
class FileFault:
    """`old`, which stands once in `file`, becomes `new`.

    The contract `kills`, and no other, fails with a text that matches `reason` and names the line where `at` begins
    (``None``: where `new` does), in `place` (``None``: the edited file).
    """

    name: str
    kills: str
    reason: str
    old: str
    new: str
    at: str | None = None
    file: str = "compose.yml"
    place: str | None = None

    def write(self, folder: Path) -> Path:
        """Put the files with the mistake into `folder`; return the compose file."""
        for source in HEALTHY.iterdir():
            text = source.read_text()
            if source.name == self.file:
                assert text.count(self.old) == 1, f"{self.old!r} stands {text.count(self.old)} times in {self.file}"
                text = text.replace(self.old, self.new)
            (folder / source.name).write_text(text)
        return folder / "compose.yml"

    def found_at(self, folder: Path) -> str:
        """Return the place that the finding must name, as ``file:line``."""
        file = self.place or self.file
        text = (folder / file).read_text()
        at = (self.at or self.new).lstrip()
        assert text.count(at) == 1, f"{at!r} stands {text.count(at)} times in {file}"
        return f"{file}:{text[: text.index(at)].count(chr(10)) + 1}"


_DATA = "- letta-data:/var/lib/postgresql/data"
_URI = "LETTA_PG_URI=postgresql://letta:${DB_PASSWORD}@letta-postgres:5432/letta"
_PG_CHECK = 'test: ["CMD-SHELL", "pg_isready -h 127.0.0.1 -U letta"]'
_REDIS_WAIT = "letta-redis:\n        condition: service_healthy"
_APP = "      LETTA_BASE_URL: http://letta-server:8283\n    networks: [app]\n    depends_on:\n      letta:\n        "
_LETTA = "    container_name: letta-server\n"
_PASSWORD = "      - LETTA_SERVER_PASSWORD=${LETTA_SERVER_PASSWORD}\n"
_PASSES = "            set $letta letta-server:8283;\n            proxy_pass http://$letta;\n"

DATA = (
    FileFault(
        "database-on-no-volume",
        "COMPOSE-DATA-001",
        "letta-postgres keeps the database in /var/lib/postgresql/data, which is on no volume",
        f"      {_DATA}\n",
        "",
        "volumes:\n      - ./init.sql",
    ),
    FileFault(
        "volume-beside-the-data",
        "COMPOSE-DATA-001",
        "which is on no volume: the data go",
        _DATA,
        "- letta-data:/root/.letta",
        "volumes:\n      - letta-data:/root/.letta",
    ),
    FileFault(
        "volume-above-the-one-that-the-image-declares",
        "COMPOSE-DATA-001",
        "which is on no volume; /var/lib/postgresql is not that folder",
        _DATA,
        "- letta-data:/var/lib/postgresql",
    ),
    FileFault(
        "path-of-before-postgres-18",
        "COMPOSE-DATA-001",
        "in /var/lib/postgresql/18/docker, which is on no volume; /var/lib/postgresql/data is not that folder",
        "pgvector/pgvector:pg16",
        "pgvector/pgvector:pg18",
        _DATA,
    ),
    FileFault(
        "volume-without-a-name",
        "COMPOSE-DATA-001",
        "on a volume without a name",
        _DATA,
        "- /var/lib/postgresql/data",
    ),
    FileFault(
        "database-host-that-nobody-has",
        "COMPOSE-DB-001",
        "names 'postgres', but no service",
        _URI,
        _URI.replace("letta-postgres", "postgres"),
    ),
    FileFault(
        "database-at-the-port-of-the-host",
        "COMPOSE-DB-001",
        "names port 5433 of letta-postgres; inside of the network it listens on 5432",
        _URI,
        _URI.replace("5432", "5433"),
    ),
    FileFault(
        "database-by-separate-variables",
        "COMPOSE-DB-001",
        "does not look at LETTA_PG_HOST",
        _URI,
        "LETTA_PG_HOST=letta-postgres",
    ),
    FileFault(
        "other-password",
        "COMPOSE-DB-002",
        "the password in LETTA_PG_URI is not the POSTGRES_PASSWORD of letta-postgres",
        _URI,
        _URI.replace("${DB_PASSWORD}", "Keeps-8-Elephants"),
    ),
    FileFault(
        "other-database",
        "COMPOSE-DB-002",
        r"names the database 'letta', but letta-postgres makes 'memory' \(POSTGRES_DB\)",
        "POSTGRES_DB: letta",
        "POSTGRES_DB: memory",
        _URI,
    ),
    FileFault(
        "database-without-vectors",
        "COMPOSE-DB-005",
        "nobody makes the extension vector in letta-postgres",
        "vector",
        "pg_trgm",
        "volumes:\n      - letta-data",
        file="init.sql",
        place="compose.yml",
    ),
    FileFault("sslmode", "COMPOSE-DB-003", r"has \?sslmode=", _URI, f"{_URI}?sslmode=disable"),
    FileFault(
        "pooling-without-tls",
        "COMPOSE-DB-004",
        "demand TLS of letta-postgres",
        f"- {_URI}\n",
        f"- {_URI}\n      - LETTA_DISABLE_SQLALCHEMY_POOLING=false\n",
        "- LETTA_DISABLE_SQLALCHEMY_POOLING",
    ),
)

HEALTH = (
    FileFault(
        "health-of-the-database-switched-off",
        "COMPOSE-HEALTH-001",
        "letta-postgres has no healthcheck, and another service waits",
        f"{_PG_CHECK}\n      interval: 5s",
        "disable: true",
        "healthcheck:\n      disable",
    ),
    FileFault(
        "letta-does-not-wait-for-redis",
        "COMPOSE-HEALTH-002",
        "letta waits for letta-redis with service_started",
        _REDIS_WAIT,
        _REDIS_WAIT.replace("healthy", "started"),
    ),
    FileFault(
        "application-does-not-wait",
        "COMPOSE-HEALTH-003",
        "app depends on letta with service_started",
        f"{_APP}condition: service_healthy",
        f"{_APP}condition: service_started",
        "letta:\n        condition: service_started",
    ),
    FileFault(
        "health-without-patience",
        "COMPOSE-HEALTH-005",
        r"gives letta up after 15 s",
        "      start_period: 120s\n",
        "",
        'healthcheck:\n      test: ["CMD", "curl"',
    ),
    FileFault(
        "health-without-slash", "COMPOSE-HEALTH-004", "redirect", "/v1/health/", "/v1/health", 'test: ["CMD", "curl"'
    ),
    FileFault(
        "health-that-ignores-errors",
        "COMPOSE-HEALTH-004",
        "no -f",
        '"curl", "-f"',
        '"curl", "-s"',
        'test: ["CMD", "curl"',
    ),
    FileFault(
        "health-that-is-not-served",
        "COMPOSE-HEALTH-004",
        "does not serve",
        "/v1/health/",
        "/health",
        'test: ["CMD", "curl"',
    ),
)

SERVER = (
    FileFault(
        "newest-image",
        "COMPOSE-IMAGE-001",
        "'latest', which moves",
        "letta:0.16.8",
        "letta:latest",
        "image: letta/letta",
    ),
    FileFault("image-without-tag", "COMPOSE-IMAGE-001", "no tag", "redis:7-alpine", "redis", "image: redis"),
    FileFault(
        "bare-server",
        "COMPOSE-START-001",
        "does not migrate",
        _LETTA,
        f"{_LETTA}    command: letta server --host 0.0.0.0 --secure\n",
        "command: letta server",
    ),
    FileFault(
        "server-on-localhost",
        "COMPOSE-START-002",
        "listens on localhost",
        _LETTA,
        f'{_LETTA}    command: sh -c "alembic upgrade head && letta server --secure"\n',
        "command: sh",
    ),
    FileFault(
        "replicas-that-migrate-at-once",
        "COMPOSE-START-003",
        "3 replicas of letta migrate the database at once",
        _LETTA,
        "    hostname: letta-server\n    deploy:\n      replicas: 3\n",
        "deploy:",
    ),
    FileFault(
        "variable-that-is-not-read",
        "COMPOSE-ENV-001",
        "LETTA_SERVER_CORS_ORIGINS is not read by the server: what it reads is ACCEPTABLE_ORIGINS",
        "OPENAI_API_KEY=sk-none",
        "OPENAI_API_KEY=sk-none\nLETTA_SERVER_CORS_ORIGINS=http://shop.example",
        "LETTA_SERVER_CORS",
        file="server.env",
    ),
    FileFault(
        "pool-without-pooling",
        "COMPOSE-ENV-001",
        "LETTA_PG_POOL_SIZE is not read since 0.12.0",
        f"- {_URI}\n",
        f"- {_URI}\n      - LETTA_PG_POOL_SIZE=50\n",
        "- LETTA_PG_POOL_SIZE",
    ),
    FileFault(
        "password-that-reaches-nobody",
        "COMPOSE-ENV-002",
        "LETTA_SERVER_PASSWORD never reaches letta",
        _PASSWORD,
        "",
        "LETTA_SERVER_PASSWORD",
        place=".env",
    ),
    FileFault(
        "redis-by-url",
        "COMPOSE-REDIS-001",
        "does not use letta-redis: LETTA_REDIS_HOST is not set",
        "      - LETTA_REDIS_HOST=letta-redis\n",
        "",
        "environment:\n      - LETTA_PG_URI",
    ),
    FileFault(
        "redis-port-of-the-host",
        "COMPOSE-REDIS-001",
        "LETTA_REDIS_PORT is 6380",
        "- LETTA_REDIS_HOST=letta-redis\n",
        "- LETTA_REDIS_HOST=letta-redis\n      - LETTA_REDIS_PORT=6380\n",
        "- LETTA_REDIS_PORT",
    ),
    FileFault(
        "application-looks-inside-itself",
        "COMPOSE-NAME-001",
        "LETTA_BASE_URL names localhost, which inside of the container of app",
        "http://letta-server:8283\n",
        "http://localhost:8283\n",
        "LETTA_BASE_URL",
    ),
    FileFault(
        "model-inside-the-server",
        "COMPOSE-NAME-001",
        "OPENAI_API_BASE names 127.0.0.1",
        "host.docker.internal",
        "127.0.0.1",
        "OPENAI_API_BASE",
        file="server.env",
    ),
)

EXPOSURE = (
    FileFault(
        "password-that-is-not-asked-for",
        "COMPOSE-AUTH-001",
        "SECURE is 'True', which is not exactly 'true'",
        f'{_PASSWORD}    ports:\n      - "8283:8283"',
        f'{_PASSWORD}      - SECURE=True\n    ports:\n      - "127.0.0.1:8283:8283"',
    ),
    FileFault(
        "default-password",
        "COMPOSE-AUTH-002",
        "POSTGRES_PASSWORD of letta-postgres is a password that everybody knows",
        "DB_PASSWORD=Keeps-7-Elephants",
        "DB_PASSWORD=letta",
        "POSTGRES_PASSWORD:",
        file=".env",
        place="compose.yml",
    ),
    FileFault(
        "open-server-for-everybody",
        "COMPOSE-AUTH-003",
        "its port 8283 is published on all addresses",
        _PASSWORD,
        "      - SECURE=false\n      - MEANT_FOR_LATER=${LETTA_SERVER_PASSWORD}\n",
        '- "8283:8283"',
    ),
    FileFault(
        "database-for-everybody",
        "COMPOSE-EXPOSE-001",
        r"port 5432 of letta-postgres \(postgres\) is published on all addresses",
        '- "127.0.0.1:5432:5432"',
        '- "5432:5432"',
    ),
    FileFault(
        "port-published-twice",
        "COMPOSE-PORT-001",
        "port 8283 of the host is published by letta and by letta-postgres",
        '- "127.0.0.1:5432:5432"',
        '- "127.0.0.1:8283:5432"',
    ),
)

PROXY = (
    FileFault(
        "buffering",
        "COMPOSE-PROXY-001",
        "no `proxy_buffering off` here",
        "        proxy_buffering off;\n",
        "",
        "proxy_pass",
        file="nginx.conf",
    ),
    FileFault(
        "buffering-of-one-location",
        "COMPOSE-PROXY-001",
        "no `proxy_buffering off` here",
        "        location / {\n",
        "        location ~ /messages/stream$ {\n            proxy_buffering on;\n            set $stream "
        "letta-server:8283;\n            proxy_pass http://$stream;\n            proxy_set_header Host $http_host;\n"
        "        }\n\n        location / {\n",
        "proxy_buffering on",
        file="nginx.conf",
    ),
    FileFault(
        "zipped-streams",
        "COMPOSE-PROXY-001",
        "gzip holds streams back",
        "http {\n",
        "http {\n    gzip on;\n    gzip_types application/json text/event-stream;\n",
        "gzip_types",
        file="nginx.conf",
    ),
    FileFault(
        "short-silence",
        "COMPOSE-PROXY-002",
        "ends a stream after 15 s of silence",
        "proxy_read_timeout 300s;",
        "proxy_read_timeout 15s;",
        file="nginx.conf",
    ),
    FileFault(
        "lost-port",
        "COMPOSE-PROXY-003",
        "clients reach this server on 8284, and `Host [$]host` sends them to 80",
        "Host $http_host",
        "Host $host",
        "proxy_set_header Host",
        file="nginx.conf",
    ),
    FileFault(
        "redirects-to-tls-that-is-not-there",
        "COMPOSE-PROXY-003",
        "redirects are sent to https://",
        "            proxy_http_version 1.1;\n",
        "            proxy_http_version 1.1;\n            proxy_redirect http:// https://;\n",
        "proxy_redirect",
        file="nginx.conf",
    ),
    FileFault(
        "address-looked-up-once",
        "COMPOSE-PROXY-004",
        "looks letta up once",
        _PASSES,
        "            proxy_pass http://letta-server:8283;\n",
        file="nginx.conf",
    ),
    FileFault(
        "group-looked-up-once",
        "COMPOSE-PROXY-004",
        "looks letta up once",
        "    server {\n        listen",
        "    upstream letta-server {\n        server letta:8283;\n    }\n\n    server {\n        listen",
        "server letta:8283",
        file="nginx.conf",
    ),
    FileFault(
        "dropped-user",
        "COMPOSE-PROXY-006",
        "nginx drops the header user_id",
        "        underscores_in_headers on;\n",
        "",
        "server {",
        file="nginx.conf",
    ),
    FileFault(
        "short-bodies",
        "COMPOSE-PROXY-007",
        "more than 512 KiB",
        "client_max_body_size 64m",
        "client_max_body_size 512k",
        file="nginx.conf",
    ),
    FileFault(
        "upstream-that-nobody-is",
        "COMPOSE-PROXY-005",
        "nginx passes to 'old-letta', but no service",
        "        location / {\n",
        "        location /old/ {\n            proxy_pass http://old-letta:8283;\n        }\n        location / {\n",
        "proxy_pass http://old-letta",
        file="nginx.conf",
    ),
    FileFault(
        "upstream-at-another-port",
        "COMPOSE-PROXY-005",
        "passes to port 8083 of letta-server; Letta listens on 8283",
        "set $letta letta-server:8283",
        "set $letta letta-server:8083",
        "proxy_pass",
        file="nginx.conf",
    ),
)

FAULTS = (*DATA, *HEALTH, *SERVER, *EXPOSURE, *PROXY)
