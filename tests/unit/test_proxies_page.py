"""docs/proxies.md can be judged: its configurations and tables are read, and name contracts that there are."""

from __future__ import annotations

import pytest
from killing import stated_ids, without_case
from proxies_page import broken_by, configuration, mistakes

TABLES = {name: broken_by(name) for name in ("stock-fails", "bare-fails")}
TABLES["mistakes"] = [broken for _, broken in mistakes()]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_names_contracts_and_cures(name: str) -> None:
    stated = stated_ids("network") | stated_ids("streaming")

    named = {without_case(id) for one in TABLES[name] for id in one.contracts}
    assert named - stated == set()
    assert all(one.contracts and one.cures for one in TABLES[name])


def test_a_mistake_changes_the_configuration_that_passes() -> None:
    passing = configuration("recommended")

    made = {mistake.made_in(passing) for mistake, _ in mistakes()}
    assert len(made - {passing}) == len(mistakes())
