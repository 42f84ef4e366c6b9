"""Everything inside the Qt ring runs on a server: each inner module imports with PySide6 and pyqtgraph hidden."""

from __future__ import annotations

import subprocess
import sys

from tests.test_imports import INNER, PACKAGE, files, room_of

HIDE = """
import importlib, sys
for name in ("PySide6", "shiboken6", "pyqtgraph"):
    sys.modules[name] = None
for module in sys.argv[1:]:
    importlib.import_module(module)
engines = {"openvino", "tensorrt", "tensorrt_rtx", "pycuda"} & set(sys.modules)
assert not engines, engines
"""


def test_inner_rooms_and_the_command_line_import_without_qt_and_without_engines() -> None:
    modules = []
    for path in files():
        if room_of(path) in INNER | {"cli", "resources"} and path.name not in ("__main__.py",):
            dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            modules.append(dotted.removesuffix(".__init__"))
    assert len(modules) > 20
    done = subprocess.run(
        [sys.executable, "-c", HIDE, *modules], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
