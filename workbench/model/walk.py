"""Ways through a proto: bodies of nodes, all graphs, all tensors. The only place that knows where they hide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx


def bodies(node: onnx.NodeProto) -> Iterator[tuple[str, onnx.GraphProto]]:
    """The bodies a node holds, by attribute name (`then_branch`, `body`; lists as `bodies_0`, `bodies_1`)."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.name, attribute.g
        for index, graph in enumerate(attribute.graphs):
            yield f"{attribute.name}_{index}", graph


def with_bodies(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Every node, those of bodies directly after the node that holds them."""
    for node in nodes:
        yield node
        for _, body in bodies(node):
            yield from with_bodies(body.node)


def graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """The graph and every body in it."""
    yield graph
    yield from _body_graphs(graph.node)


def all_graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph, graphs for training, and bodies in functions, each with the bodies in it."""
    yield from graphs(model.graph)
    for training in model.training_info:
        yield from graphs(training.initialization)
        yield from graphs(training.algorithm)
    for function in model.functions:
        yield from _body_graphs(function.node)


def _body_graphs(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.GraphProto]:
    for node in nodes:
        for _, body in bodies(node):
            yield from graphs(body)


def all_nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node there is: main graph, bodies, functions, training."""
    for graph in all_graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def all_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor with values: initializers, sparse ones, and those in attributes, wherever they are."""
    for graph in all_graphs(model):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from _sparse(sparse)
    for node in all_nodes(model):
        yield from attribute_tensors(node.attribute)
    for function in model.functions:
        yield from attribute_tensors(function.attribute_proto)


def attribute_tensors(attributes: Iterable[onnx.AttributeProto]) -> Iterator[onnx.TensorProto]:
    for attribute in attributes:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        if attribute.HasField("sparse_tensor"):
            yield from _sparse(attribute.sparse_tensor)
        for sparse in attribute.sparse_tensors:
            yield from _sparse(sparse)


def _sparse(tensor: onnx.SparseTensorProto) -> Iterator[onnx.TensorProto]:
    yield tensor.values
    yield tensor.indices
