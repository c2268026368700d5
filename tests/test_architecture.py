"""Who may import whom: downward only, never sideways, never up; and where requests and commits may be known."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "helpdesk"
LAYERS = [
    {"paths", "clock", "errors", "config", "columns", "database", "extensions", "files", "file_stores", "file_names", "access", "addresses",
     "tokens", "uploads", "rate_limit", "networks", "templating", "headers", "downloads", "ticks",
     "job_queue", "logs", "metrics", "request_log", "schema", "sealing", "versions", "pictures", "dkim_key", "starting", "contrast"},
    {"outbound"},
    {"agents"}, {"sites"}, {"readers"}, {"articles"}, {"canned_replies"},
    {"tickets"},
    {"inbound"},
    {"alarms"},
    {"desk", "contact", "intake", "doctor", "health"},
    {"jobs"},
    {""},
    {"ports", "supervisor", "web", "worker", "lmtp", "cli", "demo", "assets"},
]  # fmt: skip
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
KNOWS_THE_REQUEST = {"access", "desk", "contact", "intake", "headers", "health", "request_log"}
REQUEST_FILES = {"agents/current.py", "agents/security.py", "doctor/views.py"}
COMMITS = {"database.py", "agents/security.py"}
FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downward_only(path: Path) -> None:
    own = package_of(path)
    imported = {name for name in imports_of(path) if name != own}
    allowed = {name for name, level in LEVEL.items() if level < LEVEL[own]}
    if LEVEL[own] in (0, LEVEL["cli"]):
        allowed |= LAYERS[LEVEL[own]]
    assert imported - allowed == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_faces_know_the_request(path: Path) -> None:
    if package_of(path) in KNOWS_THE_REQUEST | {"demo"} or str(path.relative_to(ROOT)) in REQUEST_FILES:
        return
    names = {
        alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and node.module == "flask"
        for alias in node.names
    }
    assert names & {"request", "session", "g"} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_transaction_commits(path: Path) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert "commit" not in calls or str(path.relative_to(ROOT)) in COMMITS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    lengths = [
        node.end_lineno - node.lineno + 1
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(path.read_text().splitlines()) <= 300
    assert max(lengths, default=0) <= 45


def test_class_45_nothing_is_unpickled() -> None:
    imported = {name for path in FILES for name in whole_imports_of(path)}
    assert imported & {"pickle", "marshal", "shelve", "yaml", "dill"} == set()


def package_of(path: Path) -> str:
    """The first name below helpdesk/, "" for the application itself."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports_of(path: Path) -> set[str]:
    """The packages of ours that a file imports."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "helpdesk":
            found |= {alias.name if alias.name in LEVEL else "" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpdesk."):
            found.add((node.module or "").split(".")[1])
    return found


def whole_imports_of(path: Path) -> set[str]:
    """The top-level names of everything a file imports."""
    nodes = list(ast.walk(tree_of(path)))
    plain = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())
