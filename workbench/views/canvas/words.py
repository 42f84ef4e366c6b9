"""What is said of a box in words: for the tooltip and for screen readers."""

from __future__ import annotations

import html

from workbench.core.graph import Tensor
from workbench.views.canvas.marks import Marks
from workbench.views.canvas.scene import Scene, shape_text


def describe(scene: Scene, marks: Marks, box: int) -> str:
    """Plain text of a few lines: op and id, name, precision and value, outputs with shape and type."""
    layer = scene.layers[box]
    if layer is None:
        kind, _, name = scene.ids[box].partition(":")
        tensor = scene.tensors.get(name)
        return "\n".join(filter(None, [f"{kind} {name}", _tensor(tensor)]))
    head = [f"{layer.heading}  ·  {layer.id}", layer.op if layer.title else "", layer.name]
    value = marks.value_text(box)
    facts = [layer.precision.label if layer.precision else "", value, marks.badges.get(box, ""), layer.tactic]
    outputs = [f"→ {name}  {_tensor(scene.tensors.get(name))}".rstrip() for name in layer.outputs[:6] if name]
    return "\n".join(filter(None, [*head, "  ·  ".join(filter(None, facts)), *outputs]))


def _tensor(tensor: Tensor | None) -> str:
    return "" if tensor is None else f"{shape_text(tensor)} {tensor.dtype}".strip()


def tooltip(text: str) -> str:
    """As a tooltip that Qt cannot take for markup, whatever the model's names are."""
    return f"<p style='white-space:pre'>{html.escape(text)}</p>"
