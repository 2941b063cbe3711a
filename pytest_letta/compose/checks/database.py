"""The database: Letta finds it, may log in, and can migrate it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_letta.compose.data_folder import is_official
from pytest_letta.compose.file import ComposeFile
from pytest_letta.compose.mounted import mounted_texts, texts_below
from pytest_letta.compose.place import Finding
from pytest_letta.compose.reaching import postgres_port
from pytest_letta.compose.server import (
    PG_URI,
    DatabaseUri,
    database_uri,
    is_loopback,
    pools_connections,
    runs_start_script,
)

#: Where the official image runs scripts when it sets a database up.
_SCRIPTS = "/docker-entrypoint-initdb.d"
_SEPARATE = ("LETTA_PG_HOST", "LETTA_PG_PORT", "LETTA_PG_USER", "LETTA_PG_PASSWORD", "LETTA_PG_DB")


def is_found(file: ComposeFile) -> Iterator[Finding]:
    """Find an address of the database that leads nowhere from Letta's container, or that Letta does not read."""
    letta = file.roles["letta"]
    place = file.place_of_variable(letta, PG_URI)
    try:
        uri = database_uri(file)
    except ValueError as error:
        yield Finding(place, f"{PG_URI} {error}")
        return
    if uri is None:
        yield from _untold(file)
        return
    target = file.service_called(uri.host)
    if target is not None:
        if not file.share_a_network(letta, target):
            yield Finding(place, f"{PG_URI} names {uri.host}, which shares no network with {letta}")
        elif target == file.roles.get("postgres") and uri.port != (port := postgres_port(file)):
            yield Finding(
                place, f"{PG_URI} names port {uri.port} of {uri.host}; inside of the network it listens on {port}"
            )
    elif not is_loopback(uri.host) and not file.may_know(letta, uri.host):
        yield Finding(place, f"{PG_URI} names {uri.host!r}, but no service of this file is reached under that name")


def lets_letta_in(file: ComposeFile) -> Iterator[Finding]:
    """Find credentials of Letta that are not those with which its Postgres is set up."""
    uri = _uri_to_service(file)
    if uri is None:
        return
    letta, postgres = file.roles["letta"], file.roles["postgres"]
    variables = file.environment(postgres)
    user = variables.get("POSTGRES_USER") or "postgres"
    expected = {
        "user": (uri.user, user, "POSTGRES_USER"),
        "database": (uri.database or uri.user, variables.get("POSTGRES_DB") or user, "POSTGRES_DB"),
    }
    place = file.place_of_variable(letta, PG_URI)
    if not _may_make_more(file, postgres):
        for what, (told, made, variable) in expected.items():
            unread = f"{variable}_FILE" in variables
            if told != made and not unread:
                yield Finding(
                    place, f"{PG_URI} names the {what} {told!r}, but {postgres} makes {made!r} ({variable})"
                )
    password = variables.get("POSTGRES_PASSWORD")
    trusts = variables.get("POSTGRES_HOST_AUTH_METHOD") == "trust"
    if password is not None and uri.user == user and uri.password != password and not trusts:
        yield Finding(place, f"the password in {PG_URI} is not the POSTGRES_PASSWORD of {postgres}")


def has_vectors(file: ComposeFile) -> Iterator[Finding]:
    """Find a new database in which nobody makes the extension that Letta's first migration needs."""
    postgres = file.roles["postgres"]
    if _uri_to_service(file) is None or not is_official(file.services[postgres]):
        return
    said = [*mounted_texts(file, postgres), *map(file.command_text, file.services)]
    if _has_unread_scripts(file, postgres) or any("vector" in text.lower() for text in said):
        return
    yield file.finding(
        f"nobody makes the extension vector in {postgres}, and without it the first start of Letta ends (type "
        f'"vector" does not exist): mount a script with CREATE EXTENSION IF NOT EXISTS vector; into {_SCRIPTS}',
        postgres,
        "volumes",
    )


def can_be_migrated(file: ComposeFile) -> Iterator[Finding]:
    """Find an option in the database's address that the migration at Letta's start refuses."""
    try:
        uri = database_uri(file)
    except ValueError:
        return
    migrates = runs_start_script(file) or "alembic" in file.command_text(file.roles["letta"])
    if uri is None or not migrates:
        return
    for option in ("sslmode", "ssl"):
        if option in uri.options:
            place = file.place_of_variable(file.roles["letta"], PG_URI)
            yield Finding(
                place,
                f"{PG_URI} has ?{option}=, of which the migration dies (pg8000: unexpected keyword argument), so "
                "that the container restarts for ever; leave it out",
            )


def is_not_asked_for_tls(file: ComposeFile) -> Iterator[Finding]:
    """Find pooling that is switched on before a Postgres without TLS: the server then insists on TLS."""
    uri = _uri_to_service(file)
    if uri is None or not pools_connections(file) or {"sslmode", "ssl"} & set(uri.options):
        return
    if re.search(r"\bssl\s*=\s*on\b", file.command_text(file.roles["postgres"])):
        return
    name = "LETTA_DISABLE_SQLALCHEMY_POOLING"
    yield Finding(
        file.place_of_variable(file.roles["letta"], name),
        f"{name}=false makes the server demand TLS of {file.roles['postgres']}, which has none, and end at its start",
    )


def _untold(file: ComposeFile) -> Iterator[Finding]:
    letta = file.roles["letta"]
    separate = [name for name in _SEPARATE if name in file.environment(letta)]
    if separate and runs_start_script(file):
        yield Finding(
            file.place_of_variable(letta, separate[0]),
            f"without {PG_URI} the image does not look at {', '.join(separate)}: it starts a Postgres of its own "
            "inside of its container",
        )
    elif "postgres" in file.roles and not separate:
        yield file.finding(
            f"{letta} is given no {PG_URI}: it starts a Postgres of its own inside of its container, and never uses "
            f"{file.roles['postgres']}",
            letta,
            "environment",
        )


def _uri_to_service(file: ComposeFile) -> DatabaseUri | None:
    """Return the address of the database where it names the file's own Postgres."""
    try:
        uri = database_uri(file)
    except ValueError:
        return None
    return (
        uri if uri and "postgres" in file.roles and file.service_called(uri.host) == file.roles["postgres"] else None
    )


def _may_make_more(file: ComposeFile, name: str) -> bool:
    """Tell whether scripts may make users and databases beside those of the variables."""
    made = re.compile(r"create\s*(database|user|role)|pg_restore", re.IGNORECASE)
    return _has_unread_scripts(file, name) or any(made.search(text) for text in mounted_texts(file, name))


def _has_unread_scripts(file: ComposeFile, name: str) -> bool:
    """Tell whether the database is set up by more than the texts that this file mounts."""
    if file.has_own_image(name):
        return True
    mounts = [one for one in file.services[name].get("volumes") or () if str(one["target"]).startswith(_SCRIPTS)]
    texts = {text.inside for text in texts_below(file, name, _SCRIPTS)}
    return any(not any(text.is_relative_to(str(one["target"])) for text in texts) for one in mounts)
