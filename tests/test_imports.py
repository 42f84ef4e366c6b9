"""The import law of DESIGN section 3, stated as a table: which room may import which, and which outside packages."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "workbench"
INNER = {"core", "model", "data", "precision", "backends", "measure", "pipeline", "jobs", "store"}
QT = {"PySide6", "shiboken6", "pyqtgraph"}


@dataclass(frozen=True)
class Law:
    rooms: frozenset[str]  # of ours
    outside: frozenset[str]  # packages of others


def law(rooms: str, outside: str = "") -> Law:
    return Law(frozenset(rooms.split()), frozenset(outside.split()))


LAWS = {
    "core": law("", "numpy msgspec"),
    "model": law("core", "numpy msgspec onnx google"),
    "data": law("core model", "numpy msgspec onnx PIL tomli_w"),
    "precision": law("core model data", "numpy msgspec onnx onnxruntime ml_dtypes tomli_w nncf modelopt"),
    "backends": law("core model", "numpy msgspec onnx ml_dtypes"),
    "measure": law("core backends.base", "numpy msgspec onnxruntime psutil"),
    "pipeline": law("core model data precision backends measure resources", "numpy msgspec jinja2 markupsafe"),
    "jobs": law("core pipeline", "msgspec psutil"),
    "store": law("core pipeline", "numpy msgspec psutil sqlite3"),
    "session": law(
        "core model data precision pipeline jobs store backends.base resources",
        "numpy msgspec PySide6.QtCore PySide6.QtGui",
    ),
    "charts": law("core", "numpy PySide6 pyqtgraph shiboken6"),
    "views": law("core session charts resources", "numpy msgspec PySide6 shiboken6 pyqtgraph"),
}
ENGINES = {"openvino", "onnxruntime", "tensorrt", "tensorrt_rtx", "pycuda", "cuda", "nncf", "modelopt"}
DOORS = {"app", "cli", "resources", "__init__", "__main__", "demo"}
STANDARD = frozenset(__import__("sys").stdlib_module_names) | {"__future__"}


@dataclass(frozen=True)
class Import:
    file: str
    line: int
    module: str
    is_top_level: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> list[Import]:
    """Every import in the file; of packages whose members are modules, each member."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        node
        for parent in ast.walk(tree)
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(parent, ast.If) and ast.unparse(parent.test) == "TYPE_CHECKING")
        for node in ast.walk(parent)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            is_package = node.module in ("workbench", "PySide6", "workbench.backends")
            names = [f"{node.module}.{alias.name}" for alias in node.names] if is_package else [node.module]
        elif isinstance(node, ast.ImportFrom):
            names = [f"workbench.{room_of(path)}"]
        else:
            continue
        where = str(path.relative_to(PACKAGE.parent))
        found += [Import(where, node.lineno, name, node not in guarded) for name in names]
    return found


def files(room: str = "") -> list[Path]:
    found = [p for p in sorted(PACKAGE.rglob("*.py")) if "_data" not in p.relative_to(PACKAGE).parts]
    return [p for p in found if not room or room_of(p) == room]


def is_allowed(module: str, room: str, allowed: Law) -> bool:
    head = module.split(".")[0]
    if head == "workbench":
        inner = module.split(".", 1)[1] if "." in module else ""
        own = inner == "__version__" or inner.split(".")[0] == room
        return own or any(inner == r or inner.startswith(r + ".") for r in allowed.rooms)
    if head in STANDARD:
        return True
    return any(module == name or module.startswith(name + ".") for name in allowed.outside)


@pytest.mark.parametrize("room", sorted(LAWS))
def test_a_room_imports_only_what_the_law_allows(room: str) -> None:
    assert files(room), f"there is no room {room}"
    broken = [
        str(imported)
        for path in files(room)
        for imported in imports_of(path)
        if not is_allowed(imported.module, room, LAWS[room])
        and not (room == "backends" and imported.module.split(".")[0] in ENGINES | {"psutil"})
    ]
    assert not broken, "\n".join(broken)


def test_every_folder_is_a_room_of_the_law_or_a_door() -> None:
    assert {room_of(path) for path in files()} <= set(LAWS) | DOORS


def test_engines_are_imported_inside_functions_of_their_own_backend_only() -> None:
    allowed_elsewhere = {("precision", "onnxruntime"), ("measure", "onnxruntime")}
    own_engines = {"tensorrt_rtx": {"tensorrt_rtx", "tensorrt", "pycuda", "cuda"}}
    broken = []
    for path in files():
        parts = path.relative_to(PACKAGE).parts
        backend = parts[1].removesuffix(".py") if parts[0] == "backends" and len(parts) > 1 else ""
        if parts[:3] == ("precision", "quantizers", "scripts"):
            backend = parts[3].removeprefix("run_").removesuffix(".py")
        for imported in imports_of(path):
            engine = imported.module.split(".")[0]
            if engine not in ENGINES or (room_of(path), engine) in allowed_elsewhere:
                continue
            if imported.is_top_level or engine not in own_engines.get(backend, {backend}):
                broken.append(str(imported))
    assert not broken, "\n".join(broken)


def test_no_backend_imports_another() -> None:
    broken = []
    for path in files("backends"):
        parts = path.relative_to(PACKAGE).parts
        own = parts[1].removesuffix(".py")
        for imported in imports_of(path):
            if imported.module.startswith("workbench.backends."):
                other = imported.module.split(".")[2]
                if other != own and other != "base" and not other.startswith("_"):
                    broken.append(str(imported))
    assert not broken, "\n".join(broken)


def test_no_backend_starts_a_thread() -> None:
    broken = [
        str(i)
        for path in files("backends")
        for i in imports_of(path)
        if i.module in ("threading", "concurrent.futures")
    ]
    assert not broken, "\n".join(broken)


def test_there_is_no_bare_print_and_no_bare_except() -> None:
    broken = []
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            if is_print or (isinstance(node, ast.ExceptHandler) and node.type is None):
                broken.append(f"{path.relative_to(PACKAGE.parent)}:{node.lineno}")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    ("module", "room", "expected"),
    [
        ("PySide6.QtCore", "core", False),
        ("PySide6.QtGui", "session", True),
        ("PySide6.QtWidgets", "session", False),
        ("workbench.session.session", "charts", False),
        ("workbench.core.run", "charts", True),
        ("workbench.backends.openvino", "measure", False),
        ("workbench.backends.base", "measure", True),
        ("onnx", "pipeline", False),
        ("json", "core", True),
    ],
)
def test_the_law_tells_allowed_from_forbidden(module: str, room: str, expected: bool) -> None:
    assert is_allowed(module, room, LAWS[room]) is expected
