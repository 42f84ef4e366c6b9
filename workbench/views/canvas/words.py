"""What is said of a box in words: for the tooltip and for screen readers."""

from __future__ import annotations

import html

from workbench.core.graph import Tensor
from workbench.views.canvas.marks import Marks
from workbench.views.canvas.scene import Scene, shape_text


def describe(scene: Scene, marks: Marks, box: int) -> str:
    """Plain text of a few lines: op and id, name, precision and value, outputs with shape and type."""
    layer = scene.layers[box]
    if box in scene.closed:
        return _group(scene, marks, box)
    if layer is None:
        kind, _, name = scene.ids[box].partition(":")
        tensor = scene.tensors.get(name)
        return "\n".join(filter(None, [f"{kind} {name}", _tensor(tensor)]))
    head = [f"{layer.heading}  ·  {layer.id}", layer.op if layer.title else "", layer.name]
    precision = layer.precision.label if layer.precision else ""
    facts = [precision, *_said(marks, box, precision), marks.badges.get(box, ""), layer.tactic]
    outputs = [f"→ {name}  {_tensor(scene.tensors.get(name))}".rstrip() for name in layer.outputs[:6] if name]
    return "\n".join(filter(None, [*head, "  ·  ".join(filter(None, facts)), *outputs]))


def _group(scene: Scene, marks: Marks, box: int) -> str:
    """Name and count of a closed group, and what its layers come to."""
    facts = [*_said(marks, box), marks.badges.get(box, "")]
    lines = [f"{scene.titles[box]}  ·  closed group", scene.names[box], "  ·  ".join(filter(None, facts))]
    return "\n".join(filter(None, lines))


def describe_group(scene: Scene, group: int) -> str:
    """The same for an open group."""
    return f"{scene.groups.titles[group]}  ·  open group\n{scene.groups.sizes[group]}"


def _said(marks: Marks, box: int, known: str = "") -> list[str]:
    """What the overlay says of a box, unless that is known already; grey boxes say why."""
    overlay = marks.saying.overlay
    text = marks.value_text(box) or marks.kind_text(box)
    if text or overlay is None:
        return [text] if text != known else []
    return [overlay.missing]


def _tensor(tensor: Tensor | None) -> str:
    return "" if tensor is None else f"{shape_text(tensor)} {tensor.dtype}".strip()


def tooltip(text: str) -> str:
    """As a tooltip that Qt cannot take for markup, whatever the model's names are."""
    return f"<p style='white-space:pre'>{html.escape(text)}</p>"
