"""The layers of ARCHITECTURE.md, held against the imports in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pytest_letta"


def layers() -> dict[str, int]:
    """Read the table: name of a module or folder -> its row."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    return {name.rstrip("/"): int(row) for row, names in rows for name in re.findall(r"`([a-z_/]+)`", names)}


def imports_of(file: Path) -> Iterator[tuple[str, int]]:
    """Give each imported module with its line, except those that only a type checker imports."""
    tree = ast.parse(file.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


MODULES = sorted(file for file in PACKAGE.rglob("*.py") if file.parent != PACKAGE or file.stem != "__init__")


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_down_only(file: Path) -> None:
    rows = layers()
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    wrong = [
        f"line {line}: {module}"
        for module, line in imports_of(file)
        if module.startswith("pytest_letta.") and rows[module.split(".")[1]] > rows[own]
    ]

    assert wrong == []


def test_every_module_has_its_row() -> None:
    found = {file.relative_to(PACKAGE).parts[0].removesuffix(".py") for file in MODULES}

    assert found == set(layers())


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_nothing_imports_tests_contracts_or_the_inside_of_pytest(file: Path) -> None:
    forbidden = {"contracts", "tests", "_pytest"}

    assert [module for module, _ in imports_of(file) if module.split(".")[0] in forbidden] == []


@pytest.mark.parametrize("name", ["plugin", "settings", "errors", "fixtures", "session", "turns"])
def test_what_every_run_loads_imports_no_package_at_its_top(name: str) -> None:
    tree = ast.parse((PACKAGE / f"{name}.py").read_text())
    heavy = {"httpx", "hypothesis", "schemathesis", "docker", "testcontainers", "yaml", "psutil"}
    at_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    loaded = {alias.name for node in at_top if isinstance(node, ast.Import) for alias in node.names}
    loaded |= {node.module or "" for node in at_top if isinstance(node, ast.ImportFrom)}

    assert {module.split(".")[0] for module in loaded} & heavy == set()


def test_settings_alone_reads_the_environment() -> None:
    readers = {
        str(file.relative_to(PACKAGE))
        for file in MODULES
        if re.search(r"os\.(environ|getenv)", file.read_text()) and file.name != "settings.py"
    }

    # The zygote runs under Letta's own Python and hands on the environment that it was started with.
    assert readers <= {"stack/zygote.py"}


CONTRACTS = sorted((ROOT / "contracts").glob("*/test_*.py"))
PUBLIC = {
    "pytest_letta",
    "pytest_letta.agent",
    "pytest_letta.compose.checks",
    "pytest_letta.compose.place",
    "pytest_letta.conformance.checks",
    "pytest_letta.conformance.differential",
    "pytest_letta.conformance.memory",
    "pytest_letta.conformance.nginx_cures",
    "pytest_letta.errors",
    "pytest_letta.llm",
    "pytest_letta.oracle",
    "pytest_letta.strategies",
    "pytest_letta.streaming",
    "pytest_letta.telling",
}


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_contracts_use_public_names_only(file: Path) -> None:
    used = {module for module, _ in imports_of(file) if module.split(".")[0] == "pytest_letta"}

    assert used <= PUBLIC


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_module_says_what_it_is_for(file: Path) -> None:
    text = file.read_text()

    assert not text.strip() or ast.get_docstring(ast.parse(text))
