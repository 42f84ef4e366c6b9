"""Functions that a file defines itself (FunctionProto): bodies of their calls, and in their place for engines.

In the private copy the nodes of a function stand where it was called, under the ids that they have in the source graph
(`n3.body.n0`): so engines name them, plans reach them, and their fates are as exact as those of any node. A function
whose opset is not the model's stays a call, and its nodes share the fate of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import onnx

from workbench.model.ids import body_key, name_by_id
from workbench.model.walk import bodies, graphs, with_bodies

BODY = "body"
"""What stands for an attribute in the key of a function's body: `n3.body`."""

Key = tuple[str, str, str]  # domain, name, overload


class Functions:
    """The functions of one file. The gate has made sure that none calls itself."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._functions: dict[Key, onnx.FunctionProto] = {
            function_key(function): function for function in model.functions
        }
        self._opsets = {_domain(entry.domain): entry.version for entry in model.opset_import}

    def of(self, node: onnx.NodeProto) -> onnx.FunctionProto | None:
        """The function that a node calls."""
        return self._functions.get(called(node))

    def fits(self, function: onnx.FunctionProto) -> bool:
        """True where its nodes mean the same among those of the model: in both opsets their operators are the same."""
        opsets = {_domain(entry.domain): entry.version for entry in function.opset_import}
        return all(
            _is_same(node, opsets.get(domain, 1), self._opsets.get(domain, opsets.get(domain, 1)))
            for node in with_bodies(function.node)
            for domain in [_domain(node.domain)]
        )

    def body(self, node: onnx.NodeProto) -> onnx.GraphProto | None:
        """The function's nodes with the call's attributes; inputs and outputs have the function's names."""
        function = self.of(node)
        if function is None:
            return None
        given = {attribute.name: attribute for attribute in (*function.attribute_proto, *node.attribute)}
        body = onnx.GraphProto(name=function.name)
        body.node.extend(function.node)
        for inner in with_bodies(body.node):
            _bind(inner, given)
        body.input.extend(onnx.ValueInfoProto(name=name) for name in function.input)
        body.output.extend(onnx.ValueInfoProto(name=name) for name in function.output)
        return body


def _is_same(node: onnx.NodeProto, one: int, other: int) -> bool:
    if one == other:
        return True
    try:
        found = [onnx.defs.get_schema(node.op_type, version, _domain(node.domain)) for version in (one, other)]
    except onnx.defs.SchemaError:
        return False
    return bool(found[0].since_version == found[1].since_version)


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def function_key(function: onnx.FunctionProto) -> Key:
    return _domain(function.domain), function.name, getattr(function, "overload", "")


def called(node: onnx.NodeProto) -> Key:
    """What a node calls, where the model has a function of that key."""
    return _domain(node.domain), node.op_type, getattr(node, "overload", "")


def _bind(node: onnx.NodeProto, given: Mapping[str, onnx.AttributeProto]) -> None:
    """Replaces references to attributes of the function; what the call leaves out is left out here too."""
    bound: list[onnx.AttributeProto] = []
    for attribute in node.attribute:
        found = given.get(attribute.ref_attr_name) if attribute.ref_attr_name else attribute
        if found is not None:
            bound.append(onnx.AttributeProto())
            bound[-1].CopyFrom(found)
            bound[-1].name = attribute.name
    del node.attribute[:]
    node.attribute.extend(bound)


def inline_functions(model: onnx.ModelProto) -> None:
    """Puts the nodes of functions in the place of their calls, in place, also in bodies and in each other.

    Nodes must be named by id and are so after. Tensors of a function get the call's key in front: `n3.body:x`.
    """
    functions = Functions(model)
    fitting = [function for function in model.functions if functions.fits(function)]
    if not fitting:
        return
    for graph in reversed(list(graphs(model.graph))):  # bodies first: putting in copies nodes
        _inline(graph, functions)
    _import_opsets(model, fitting)
    _keep_called(model, functions)


def _keep_called(model: onnx.ModelProto, functions: Functions) -> None:
    """Only functions that are still called, directly or by such a one."""
    kept: dict[Key, onnx.FunctionProto] = {}
    waiting = list(with_bodies(model.graph.node))
    while waiting:
        function = functions.of(waiting.pop())
        if function is not None and function_key(function) not in kept:
            kept[function_key(function)] = onnx.FunctionProto()
            kept[function_key(function)].CopyFrom(function)
            waiting.extend(with_bodies(function.node))
    del model.functions[:]
    model.functions.extend(kept.values())


def _inline(graph: onnx.GraphProto, functions: Functions) -> None:
    waiting, done, changed = list(reversed(graph.node)), [], False
    while waiting:
        node = waiting.pop()
        function = functions.of(node)
        if function is None or not functions.fits(function):
            done.append(node)
            continue
        body = functions.body(node)
        assert body is not None
        nodes = _unfolded(node, body)
        for inner in nodes:
            for _, inner_body in bodies(inner):
                for each in reversed(list(graphs(inner_body))):
                    _inline(each, functions)
        waiting.extend(reversed(nodes))
        changed = True
    if changed:
        copies = [onnx.NodeProto() for _ in done]
        for copy, node in zip(copies, done, strict=True):
            copy.CopyFrom(node)
        del graph.node[:]
        graph.node.extend(copies)


def _unfolded(call: onnx.NodeProto, body: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The body's nodes between the tensors of the call; Identity where a function hands on what it was given."""
    key = body_key(call.name, BODY)
    name_by_id(body, key)
    names = _outer_names(call.input, body.input)
    made = {name for node in body.node for name in node.output}
    nodes = list(body.node)
    for slot, (inner, outer) in enumerate(zip([value.name for value in body.output], call.output, strict=False)):
        if outer and inner in made and inner not in names:
            names[inner] = outer
        elif outer:
            source = names.get(inner, f"{key}:{inner}")
            nodes.append(onnx.helper.make_node("Identity", [source], [outer], name=f"{call.name}:output_{slot}"))
    for node in body.node:
        _rename(node, names, f"{key}:")
    return nodes


def _outer_names(given: Iterable[str], formal: Iterable[onnx.ValueInfoProto]) -> dict[str, str]:
    """Of each formal input the tensor given for it; "" where the call leaves it out."""
    names = {value.name: "" for value in formal}
    return names | dict(zip(names, given, strict=False))


def _rename(node: onnx.NodeProto, names: Mapping[str, str], prefix: str) -> None:
    """Everything in a function is its own: it sees nothing of the graph around the call."""

    def new(name: str) -> str:
        return names[name] if name in names else prefix + name if name else ""

    for inner in with_bodies([node]):
        inner.input[:] = [new(name) for name in inner.input]
        inner.output[:] = [new(name) for name in inner.output]
        for _, body in bodies(inner):
            for value in (*body.input, *body.output, *body.value_info, *body.initializer):
                value.name = new(value.name)
            for sparse in body.sparse_initializer:
                sparse.values.name = new(sparse.values.name)


def _import_opsets(model: onnx.ModelProto, functions: Iterable[onnx.FunctionProto]) -> None:
    known = {_domain(entry.domain) for entry in model.opset_import}
    for function in functions:
        for entry in function.opset_import:
            if _domain(entry.domain) not in known:
                known.add(_domain(entry.domain))
                model.opset_import.add(domain=entry.domain, version=entry.version)
