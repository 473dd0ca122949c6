"""The architecture is held by tests: layers, module sizes, who may do what."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from flowscan.net.sql import defaults

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "flowscan"
MODULES = sorted(PACKAGE.rglob("*.py"))
QUERIES = sorted((ROOT / "queries").rglob("*.sql"))

# Longest prefix wins. A module imports only from its own layer or below.
LAYERS = {
    "flowscan.arrays": 1,
    "flowscan.errors": 1,
    "flowscan.net": 1,
    "flowscan.schema": 1,
    "flowscan.text": 1,
    "flowscan.config": 2,
    "flowscan.findings": 2,
    "flowscan.findings.stored": 4,
    "flowscan.parse": 2,
    "flowscan.sources": 2,
    "flowscan.feeds": 2,
    "flowscan.feeds.store": 4,
    "flowscan.lake.layout": 2,
    "flowscan.lake.store": 2,
    "flowscan.lake.local_file": 2,
    "flowscan.lake.local_store": 2,
    "flowscan.lake.s3_store": 2,
    "flowscan.lake": 3,
    "flowscan.queries": 4,
    "flowscan.engine": 4,
    "flowscan.enrich": 4,
    "flowscan.ingest": 5,
    "flowscan.traffic": 5,
    "flowscan.match": 6,
    "flowscan.lookup": 6,
    "flowscan.detect": 6,
    "flowscan.report": 7,
    "flowscan.export": 7,
    "flowscan.batch": 8,
    "flowscan.api": 8,
    "flowscan": 8,
    "flowscan.cli": 9,
    "flowscan.__main__": 9,
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(name: str) -> int:
    best = max((p for p in LAYERS if name == p or name.startswith(p + ".")), key=len)
    assert best != "flowscan" or name == "flowscan", f"{name} has no layer: add it to LAYERS"
    return LAYERS[best]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                is_module = (ROOT / full.replace(".", "/")).with_suffix(".py").exists()
                is_package = (ROOT / full.replace(".", "/") / "__init__.py").exists()
                found.add(full if is_module or is_package else node.module)
    return {name for name in found if name == "flowscan" or name.startswith("flowscan.")}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down_only(path: Path) -> None:
    here = layer(module_name(path))
    above = {
        name
        for name in imports(path)
        if name not in ("flowscan", "flowscan.__about__") and layer(name) > here
    }
    assert not above, f"{module_name(path)} (layer {here}) imports {above}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_has_docstring_and_size(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "a module says its purpose and its invariant"
    assert len(text.splitlines()) <= 400


def test_median_module_is_short() -> None:
    sizes = sorted(len(p.read_text().splitlines()) for p in MODULES)
    assert sizes[len(sizes) // 2] <= 170


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_public_names_have_docstrings(path: Path) -> None:
    missing = []
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            missing.append(node.name)
    assert not missing


ONLY = {
    # what: (test on AST call/import, the modules that may)
    "duckdb": ("flowscan.engine",),
    "typer": ("flowscan.cli",),
}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_reserved_libraries(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    for library, owners in ONLY.items():
        if library in names:
            assert module_name(path).startswith(owners), f"only {owners} may import {library}"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_config_reads_the_environment(path: Path) -> None:
    if module_name(path) == "flowscan.config":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("os", "environ"), ("os", "getenv")}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_nothing_dangerous(path: Path) -> None:
    """Reference: reliability S15."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {a.name for a in node.names} | {getattr(node, "module", "") or ""}
            assert not names & {"pickle", "yaml", "marshal", "shelve"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "compile"}
            assert node.func.id != "print" or module_name(path).startswith("flowscan.cli")
        if isinstance(node, ast.keyword) and node.arg == "shell":
            assert not (isinstance(node.value, ast.Constant) and node.value.value is True)


# Ways to write a range of addresses: a network (not one for documentation), the begin of dotted
# texts, a group of hex digits.
RANGE = re.compile(
    r"(?<![\d.])(?!203\.0\.113\.|198\.51\.100\.|192\.0\.2\.)\d+\.\d+\.\d+\.\d+/\d|::/\d"
    r"|(?<![\d.])(?:0|10|127|192\\?\.168|169\\?\.254)\\?\.(?:%|\\|['\"|)]|$)"
    r"|172\\?\.[(\[_%]|100\\?\.[(\[_%]|f\[cd|fe\[89"
)
PORT_LIST = re.compile(
    r"(?:\b[ab]p|port\w*)\s+(?:NOT\s+)?(?:IN\s*\(\s*\d|BETWEEN\s+\d)", re.IGNORECASE
)
NET = "flowscan.net"


def code_texts(tree: ast.AST) -> list[str]:
    """The string constants of a module that are no docstrings."""
    plain = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    constants = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in plain)
    return [n.value for n in constants if isinstance(n.value, str)]


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_net_spells_out_ranges_and_port_lists(path: Path) -> None:
    if module_name(path).startswith(NET):
        return
    tree = ast.parse(path.read_text())
    for text in code_texts(tree):
        assert not RANGE.search(text), text
        assert not PORT_LIST.search(text), text
    for node in ast.walk(tree):
        if isinstance(node, ast.Set | ast.Tuple | ast.List) and len(node.elts) > 2:
            numbers = {n.value for n in node.elts if isinstance(n, ast.Constant)}
            assert len(numbers & {22, 25, 53, 80, 443, 3389}) < 2, f"line {node.lineno}"


@pytest.mark.parametrize(
    "path", [p for p in QUERIES if p.parent.name != "aws"], ids=lambda p: str(p.stem)
)
def test_query_files_name_ranges_and_port_lists(path: Path) -> None:
    """What stands behind a reserved tag is net's text (tests/net holds that); the rest has none."""
    text = path.read_text()
    for default in reversed(list(defaults(text))):
        text = text[: default.begin] + text[default.end :]
    text = re.sub(r"/\*\$\w+\*/\s*'[^']*'", "", text)  # the default of a parameter
    assert not RANGE.search(text)
    assert not PORT_LIST.search(text)
    assert "regexp_like" not in text
