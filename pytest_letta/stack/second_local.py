"""A second server of the local provider: forked as the first is, on a copy of the data if need be."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pytest_letta.stack import sql
from pytest_letta.stack.letta import SecondLetta
from pytest_letta.stack.ports import HOST
from pytest_letta.stack.postgres import DATABASE, Postgres
from pytest_letta.stack.second import POSTGRES, Second
from pytest_letta.stack.service import Address, Service

if TYPE_CHECKING:
    from pytest_letta.stack.letta import Letta
    from pytest_letta.stack.ports import PortChooser


class LocalSecond(Second):
    """The second server beside `letta` on `postgres`; `ports` chooses free ports."""

    def __init__(self, members: dict[str, Service], postgres: Postgres, letta: Letta, ports: PortChooser) -> None:
        super().__init__(members, postgres.run_script, sql.make_second_empty)
        self._postgres = postgres
        self._letta = letta
        self._ports = ports

    def _server(self, postgres: Service, database: str | None) -> tuple[str, Service]:
        assert isinstance(postgres, Postgres)
        dsn = postgres.dsn_of(database or DATABASE)
        return dsn, SecondLetta(self._letta, self._address(), dsn)

    def _further_postgres(self) -> Service:
        return self._postgres.beside(self._address(), POSTGRES)

    def _copy_data(self, first: Service, second: Service) -> None:
        assert isinstance(first, Postgres)
        assert isinstance(second, Postgres)
        second.adopt(first.data)

    def _remove_data(self, second: Service) -> None:
        assert isinstance(second, Postgres)
        shutil.rmtree(second.data, ignore_errors=True)

    def _address(self) -> Address:
        return Address(HOST, self._ports(1)[0])
