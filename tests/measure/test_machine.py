from __future__ import annotations

from workbench.measure.machine import logical_cores, machine_state, physical_cores


def test_the_machine_state_names_what_a_number_needs_beside_it() -> None:
    state = machine_state()
    assert {"cpu", "cores", "load", "system", "python", "numpy", "onnxruntime"} <= set(state)
    assert all(value.strip() == value and value for value in state.values())


def test_there_are_not_more_physical_than_logical_cores() -> None:
    assert 1 <= physical_cores() <= logical_cores()
