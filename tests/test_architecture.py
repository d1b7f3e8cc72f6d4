"""The house as a list: imports flow one way, and the part that computes touches nothing but its arguments."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "src" / "slagkracht"

PURE = [
    "regions", "resources", "areas", "risks", "rules", "roads", "travel", "plan", "coverage", "siting", "strength",
    "relief", "log", "simulation", "performance", "lessons", "procedures", "costs", "decisions",
]  # fmt: skip
EDGES = ["sources", "reports", "server", "cli"]
ORDER = PURE + EDGES
IMPURE_MODULES = {
    "os", "io", "pathlib", "shutil", "tempfile", "socket", "urllib", "requests", "sqlite3", "psycopg", "django", "time",
    "random", "secrets", "uuid", "subprocess", "threading", "pyogrio", "osmium", "geopandas", "typer", "rich", "typst",
}  # fmt: skip
IMPURE_CALLS = {
    "open", "input", "print", "datetime.now", "datetime.utcnow", "date.today", "datetime.datetime.now",
    "datetime.date.today", "np.random.seed", "np.random.rand", "np.random.random", "np.random.normal",
    "np.load", "np.save", "np.loadtxt", "np.savetxt",
}  # fmt: skip


def files() -> list[tuple[str, Path]]:
    """(room, file) of every Python file; a folder counts as the room that it is named after."""
    found = []
    for path in sorted(HOUSE.rglob("*.py")):
        room = path.relative_to(HOUSE).parts[0].removesuffix(".py")
        if room != "__init__" and room != "__main__":
            found.append((room, path))
    return found


def imports(path: Path) -> list[str]:
    """Every module that a file imports, wherever in the file it does so."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import; write slagkracht.…"
            names.append(node.module or "")
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_every_room_has_its_place() -> None:
    strangers = {room for room, _ in files()} - set(ORDER)
    assert not strangers, f"not in the house's list: {sorted(strangers)}"


def test_there_are_no_cupboards() -> None:
    cupboards = {"utils", "util", "common", "helpers", "core", "misc", "service_layer", "shared"}
    assert not {p for p in HOUSE.rglob("*") if p.stem in cupboards}


@pytest.mark.parametrize(("room", "path"), files(), ids=lambda v: v.name if isinstance(v, Path) else v)
def test_imports_flow_one_way(room: str, path: Path) -> None:
    for name in imports(path):
        if name.startswith("slagkracht."):
            other = name.split(".")[1]
            if other in ORDER:
                assert ORDER.index(other) <= ORDER.index(room), f"{path.name} ({room}) imports upward: {name}"


def test_no_file_leans_on_one_that_leans_on_it() -> None:
    """Also within a room: what a file imports never leads back to it."""
    modules = {".".join(path.relative_to(HOUSE.parent).with_suffix("").parts): path for _, path in files()}
    leans = {
        name: {m for other in imports(path) for m in (other, f"{other}.__init__") if m in modules and m != name}
        for name, path in modules.items()
    }
    for room in (name for name in modules if name.endswith(".__init__")):  # what a room opens with leans on its files
        for name in leans:
            if name.startswith(room.removesuffix("__init__")):
                leans[name].discard(room)
    list(TopologicalSorter(leans).static_order())


@pytest.mark.parametrize(
    ("room", "path"),
    [(r, p) for r, p in files() if r in PURE],
    ids=lambda v: v.name if isinstance(v, Path) else v,
)
def test_the_engine_is_pure(room: str, path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}
    assert not tops & IMPURE_MODULES, f"{path.name} imports {tops & IMPURE_MODULES}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in IMPURE_CALLS, f"{path.name}:{node.lineno} calls {called}"


def test_the_order_can_be_read() -> None:
    """Prints the house (pytest -s): the same list that the README shows."""
    print("\n" + " → ".join(ORDER))
    assert len(set(ORDER)) == len(ORDER)
