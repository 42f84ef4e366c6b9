"""Settings as one table: the dialog, the defaults and the file are made from it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.json import write_json
from workbench.core.places import data_home

_LOG = logging.getLogger(__name__)

FILE = "settings.json"
RECENT_FILES = 12


class Setting(msgspec.Struct, frozen=True):
    """`choices` maps allowed values to their words; empty where any value of the default's type is allowed.

    `title` empty: kept by the program itself, not shown in the dialog.
    """

    id: str
    default: Any
    title: str = ""
    summary: str = ""
    choices: dict[str, str] = {}
    low: float = 0.0
    high: float = 1e9


SETTINGS = (
    Setting(
        "theme",
        "system",
        "Appearance",
        "System follows the desktop, where it tells.",
        {"system": "System", "light": "Light", "dark": "Dark"},
    ),
    Setting(
        "timing_seconds", 3.0, "Seconds to time each run", "The protocol asks for 3 s or more.", low=0.2, high=600.0
    ),
    Setting(
        "race_seconds",
        60.0,
        "Seconds to compare runs, at most",
        "They are timed interleaved, A B B A; it ends as soon as it is decided.",
        low=1.0,
        high=3600.0,
    ),
    Setting(
        "tune_seconds",
        60.0,
        "Seconds to tune options",
        "To search the options of a backend for the fastest, all in all.",
        low=2.0,
        high=3600.0,
    ),
    Setting("sweep_seconds", 1.0, "Seconds to time each point of a sweep", "Besides building it.", low=0.1, high=600.0),
    Setting(
        "replan_seconds",
        20.0,
        "Seconds to measure changes of shape",
        "At most; eight rounds through all shapes at least.",
        low=0.1,
        high=3600.0,
    ),
    Setting("threads", 0, "Threads of CPU backends", "0: all physical cores.", low=0, high=1024),
    Setting("evaluation_limit", 0, "Evaluation samples at most", "0: the whole set.", low=0, high=1_000_000),
    Setting(
        "layer_samples",
        8,
        "Samples to check each layer with",
        "After each build that is not plain FP32, every layer is compared with the reference. 0: not at all.",
        low=0,
        high=1_000_000,
    ),
    Setting(
        "culprit_plans",
        0,
        "Plans to measure for culprits, at most",
        "0: as the number of layers suggests.",
        high=10_000,
    ),
    Setting("culprit_samples", 16, "Samples to find culprits with", "Of the evaluation set. 0: all.", high=1_000_000),
    Setting("all_models", False, "Runs of all models in the table"),
    Setting("allowed_code", ()),
    Setting("dismissed_advice", ()),
    Setting("recent", ()),
    Setting("geometry", ""),
    Setting("window_state", {}),
    Setting("recent_plans", ()),
    Setting("plan_window", {}),
    Setting("overlays", {}),
    Setting("sweep", {}),
    Setting("picture", {}),
    Setting("dim_rest", False),
    Setting("follow", False),
    Setting("gpu", ""),
    Setting("plan_search", {}),
    Setting("plan_searches", {}),
)
_BY_ID = {setting.id: setting for setting in SETTINGS}


class Settings(QObject):
    """The values, kept in `settings.json` of the data folder. What cannot be read counts as its default.

    What the disk does not take (full, read-only) holds until the program ends.
    """

    changed = Signal(object)  # the setting's id

    def __init__(self, path: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path or data_home() / FILE
        self._values: dict[str, Any] = {}
        for key, value in _read(self._path).items():
            if key in _BY_ID and (valid := checked(_BY_ID[key], value)) is not None:
                self._values[key] = valid

    def get(self, key: str) -> Any:
        return self._values.get(key, _BY_ID[key].default)

    def set(self, key: str, value: Any) -> None:
        """Ignores what the table does not allow."""
        valid = checked(_BY_ID[key], value)
        if valid is None or valid == self.get(key):
            return
        self._values[key] = valid
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._path, self._values)
        except OSError as error:
            _LOG.warning("settings are not kept: %s", error)
        self.changed.emit(key)

    def remember_file(self, path: str) -> None:
        """Puts `path` first among the recent files."""
        others = [known for known in self.get("recent") if known != path]
        self.set("recent", tuple([path, *others][:RECENT_FILES]))

    def forget_file(self, path: str) -> None:
        self.set("recent", tuple(known for known in self.get("recent") if known != path))


def checked(setting: Setting, value: object) -> Any:
    """`value` in the setting's own type, or None where it is not allowed."""
    default = setting.default
    if setting.choices:
        return value if value in setting.choices else None
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, int | float):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return type(default)(min(max(value, setting.low), setting.high))
    if isinstance(default, tuple):
        ok = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        return tuple(value) if ok else None  # type: ignore[arg-type]
    return value if isinstance(value, type(default)) else None


def _read(path: Path) -> Mapping[str, object]:
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
    return found if isinstance(found, dict) else {}
