"""What a user installs: the pins, the wheel, the commands of the Makefile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from workbench import __version__
from workbench.resources import resource, sample_models

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9a-z.]*)")
WHEEL_LIMIT = 25 * 2**20


def asked() -> list[Requirement]:
    """Dependencies and extras as pyproject.toml has them."""
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(text) for group in (PROJECT["dependencies"], *extras) for text in group]


def pins() -> dict[str, Version]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    matches = [(line, PIN.fullmatch(line)) for line in lines if not line.startswith("#")]
    assert [line for line, match in matches if match is None] == [], "lines that are no plain pin"
    return {match[1]: Version(match[2]) for _, match in matches if match}


def closure(wanted: Iterable[Requirement]) -> tuple[set[str], set[str]]:
    """Names of all packages these need, as the installed ones say, and of those that are not installed here."""
    seen: set[str] = set()
    absent: set[str] = set()
    todo = [canonicalize_name(requirement.name) for requirement in wanted]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            absent.add(name)
            continue
        needs = [Requirement(line) for line in lines]
        todo += [canonicalize_name(r.name) for r in needs if r.marker is None or r.marker.evaluate({"extra": ""})]
    return seen, absent


@pytest.mark.parametrize("requirement", asked(), ids=lambda requirement: requirement.name)
def test_a_dependency_is_pinned_to_a_version_it_allows(requirement: Requirement) -> None:
    assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_lock_pins_all_that_is_installed_and_nothing_else() -> None:
    needed, absent = closure(asked())
    extras = PROJECT["optional-dependencies"]
    keys = ("tensorrt-rtx", "netron", "nncf", "modelopt")
    optional = {canonicalize_name(Requirement(text).name) for key in keys for text in extras[key]}
    assert absent <= optional, "the optional ones alone may be missing"
    assert set(pins()) == needed


def test_pyside_stays_below_the_version_that_loses_references_to_none() -> None:
    assert pins()["pyside6-essentials"] < Version("6.12")
    assert not Requirement(next(d for d in PROJECT["dependencies"] if "PySide6" in d)).specifier.contains("6.12.0")


def test_the_versions_of_package_and_project_are_one() -> None:
    assert PROJECT["version"] == __version__


@pytest.mark.parametrize("target", ["run", "test", "lint", "bench"])
def test_a_target_of_make_does_its_own_set_up(target: str, tmp_path: Path) -> None:
    plan = subprocess.run(
        ["make", "--dry-run", target, f"VENV={tmp_path}/venv"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert plan.index("tools/setup.sh") < plan.index("touch")


@pytest.mark.parametrize("script", [".ci/run", "tools/setup.sh", "tools/run.sh"])
def test_a_script_is_executable_and_plain_sh(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert path.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", path], check=True)


def test_what_ships_is_found_in_a_checkout() -> None:
    assert resource("fonts/OFL-Inter.txt").is_file()
    assert (sample_models() / "fashion" / "fashion_resnet.onnx").is_file()


def test_a_wheel_holds_resources_and_samples_and_nothing_of_the_workshop(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("resources", "sample_models"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert files
        assert {f"workbench/_data/{path.relative_to(ROOT).as_posix()}" for path in files} <= names
    assert {f"workbench/{path.name}" for path in (ROOT / "workbench").glob("*.py")} <= names
    assert not [name for name in names if "__pycache__" in name or not name.startswith(("workbench/", "inference_"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.stat().st_size < WHEEL_LIMIT
