"""The options of a backend that are worth offering on this machine."""

from __future__ import annotations

from workbench.backends.base import Backend, Capabilities
from workbench.core.options import Option
from workbench.measure.machine import logical_cores, physical_cores


def offered_options(backend: Backend, can: Capabilities) -> tuple[Option, ...]:
    """Those of a build, and those that a search tunes, which change its speed alone; threads are a setting."""
    knobs = [knob for knob in backend.knobs(physical_cores(), logical_cores()) if knob.key != "threads"]
    tuned = [Option(knob.key, knob.title, knob.text, knob.values) for knob in knobs]
    return (*can.options, *(option for option in tuned if len(option.values) > 1))
