"""Every file here brought some reader down, or let it read what it should not. Each is refused in one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.model import open_model

Change = Callable[[onnx.ModelProto], None]

NOT_MODELS = [
    (b"", "is empty"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS pointer"),
    (b"<!DOCTYPE html><html></html>", "web page"),
    (b"\n <html><head>", "web page"),
    (b"PK\x03\x04" + b"\0" * 60, "zip archive"),
    (b"\x80\x02}q\x00.", "pickle"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x93NUMPY\x01\x00", "NumPy"),
    (b"GGUF\x03\0\0\0", "GGUF"),
    (b"ftrt\0\0\0\0", "TensorRT engine"),
    (b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
    (b"\x28\0\0\0ORTM", ".ort format"),
    (b"\x40\0\0\0\0\0\0\0" + b'{"a":1}', "safetensors"),
    (b'<?xml version="1.0"?><net name="x">', "OpenVINO IR"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"hello, I am a text", "not an ONNX model"),
    (b"\x08\x07", "not an ONNX model"),
]


@pytest.mark.parametrize(("data", "words"), NOT_MODELS, ids=[words for _, words in NOT_MODELS])
def test_a_file_that_is_no_model_is_called_what_it_is(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    _refused(path, words)


@pytest.mark.parametrize(
    ("name", "words"),
    [("m.pt", "PyTorch"), ("m.engine", "TensorRT engine"), ("m.pb", "TensorFlow"), ("m.bin", "weights")],
)
def test_an_ending_helps_where_the_content_says_nothing(tmp_path: Path, name: str, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xff\xff\xff\x01\x02")
    _refused(path, words)


def test_paths_that_are_no_files_are_refused_without_reading(tmp_path: Path) -> None:
    _refused(tmp_path / "absent.onnx", "no file")
    _refused(tmp_path, "folder")
    _refused(Path("/dev/zero"), "pipe or device")
    pipe = tmp_path / "pipe.onnx"
    os.mkfifo(pipe)
    _refused(pipe, "pipe or device")
    _refused(tmp_path / "nul\0.onnx", "Cannot read")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_refused(tmp_path: Path) -> None:
    path = making.save(making.chain(), tmp_path)
    path.chmod(0)
    _refused(path, "may not read")


LOCATIONS = [
    ("../secret.bin", "plain path"),
    ("/etc/hostname", "plain path"),
    ("sub/../../secret.bin", "plain path"),
    ("..\\secret.bin", "plain path"),
    ("C:secret.bin", "plain path"),
    ("*/_ORT_MEM_ADDR_/*", "plain path"),
    ("w.bin\0x", "plain path"),
    ("", "not in which"),
    ("absent.bin", "Cannot read"),
    ("folder", "not a plain file"),
    ("link.bin", "link"),
    ("linked/w.bin", "link"),
    ("hard.bin", "hard link"),
    ("pipe.bin", "not a plain file"),
]


@pytest.mark.parametrize(("location", "words"), LOCATIONS, ids=[repr(where) for where, _ in LOCATIONS])
def test_external_data_stays_in_the_folder_of_the_model(tmp_path: Path, location: str, words: str) -> None:
    folder = tmp_path / "model"
    (folder / "folder").mkdir(parents=True)
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"s" * 64)
    (tmp_path / "w.bin").write_bytes(b"s" * 64)
    (folder / "w.bin").write_bytes(b"w" * 64)
    (folder / "link.bin").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    (folder / "hard.bin").hardlink_to(secret)
    os.mkfifo(folder / "pipe.bin")
    _refused(making.save(making.external(location), folder), words)


@pytest.mark.parametrize(
    ("offset", "length", "words"),
    [
        ("4096", None, "behind the end"),
        ("0", "65", "behind the end"),
        ("0", "32", "need 64"),
        ("-1", None, "offset"),
        ("9" * 30, None, "offset"),
        ("abc", None, "offset"),
    ],
)
def test_external_data_lies_inside_its_file(tmp_path: Path, offset: str, length: str | None, words: str) -> None:
    (tmp_path / "w.bin").write_bytes(b"w" * 64)
    _refused(making.save(making.external("w.bin", offset=offset, length=length), tmp_path), words)


def _dims(*dims: int) -> Change:
    def change(proto: onnx.ModelProto) -> None:
        del proto.graph.initializer[0].dims[:]
        proto.graph.initializer[0].dims.extend(dims)

    return change


def _type(elem_type: int) -> Change:
    def change(proto: onnx.ModelProto) -> None:
        proto.graph.initializer[0].data_type = elem_type

    return change


def _no_data(proto: onnx.ModelProto) -> None:
    proto.graph.initializer[0].ClearField("raw_data")


def _cycle(proto: onnx.ModelProto) -> None:
    proto.graph.node.append(helper.make_node("Add", ["y", "b"], ["a"]))
    proto.graph.node.append(helper.make_node("Relu", ["a"], ["b"]))


def _twice(proto: onnx.ModelProto) -> None:
    proto.graph.node.append(helper.make_node("Relu", ["x"], ["y"]))


def _no_outputs(proto: onnx.ModelProto) -> None:
    del proto.graph.output[:]


CHANGES = [
    (_dims(4, 5), "needs 80"),
    (_dims(-4, -4), "impossible shape"),
    (_dims(1 << 40, 1 << 40), "needs"),
    (_dims(*[1] * 100), "impossible shape"),
    (_type(TensorProto.DOUBLE), "needs 128"),
    (_type(9999), "element type"),
    (_type(0), "element type"),
    (_no_data, "needs 16"),
    (_cycle, "cycle"),
    (_twice, "Two nodes"),
    (_no_outputs, "no outputs"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_a_model_that_contradicts_itself_is_refused(tmp_path: Path, change: Change, words: str) -> None:
    proto = making.linear()
    change(proto)
    _refused(making.save(proto, tmp_path), words)


def _function(name: str, *calls: str) -> onnx.FunctionProto:
    nodes, last = [], "x"
    for index, call in enumerate(calls):
        domain = "" if call == "Relu" else "own"
        nodes.append(helper.make_node(call, [last], [f"v{index}"], domain=domain))
        last = f"v{index}"
    nodes.append(helper.make_node("Identity", [last], ["y"]))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, ["x"], ["y"], nodes, opsets)


def _calling(name: str, *functions: onnx.FunctionProto) -> onnx.ModelProto:
    node = helper.make_node(name, ["x"], ["y"], domain="own")
    return making.model([node], [making.value("x")], [making.value("y")], functions=functions)


def _many_inputs() -> onnx.ModelProto:
    node = helper.make_node("Sum", ["x"] * 100_000, ["y"])
    return making.model([node], [making.value("x")], [making.value("y")])


def _bomb() -> onnx.ModelProto:
    functions = [_function("f0", "Relu", "Relu")]
    functions += [_function(f"f{i}", f"f{i - 1}", f"f{i - 1}") for i in range(1, 30)]
    return _calling("f29", *functions)


def _long_name() -> onnx.ModelProto:
    proto = making.chain()
    proto.graph.node[0].name = "n" * 20_000
    return proto


BOMBS = [
    (lambda: _calling("f", _function("f", "f")), "calls itself"),
    (lambda: _calling("f", _function("f", "g"), _function("g", "f")), "calls itself"),
    (_bomb, "unfolded"),
    (_many_inputs, "inputs on one node"),
    (lambda: making.chain(60_001), "nodes"),
    (lambda: making.branching(20), "bodies inside each other"),
    (_long_name, "one name"),
]


@pytest.mark.parametrize(("make", "words"), BOMBS, ids=[words for _, words in BOMBS])
def test_a_model_that_would_hang_an_engine_is_refused(
    tmp_path: Path, make: Callable[[], onnx.ModelProto], words: str
) -> None:
    _refused(making.save(make(), tmp_path), words)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_open_or_are_refused_and_nothing_else(tmp_path: Path, seed: int) -> None:
    """Bit flips and cuts of three models: 4 x 3 x 25 files."""
    dice = np.random.default_rng(seed)
    path = tmp_path / "model.onnx"
    for proto in (making.linear(), making.branching(3), _calling("f", _function("f", "Relu"))):
        whole = proto.SerializeToString()
        for _ in range(25):
            data = bytearray(whole)
            for place in dice.integers(0, len(data), dice.integers(1, 6)):
                data[place] ^= 1 << int(dice.integers(0, 8))
            path.write_bytes(bytes(data[: dice.integers(1, len(data))]) if dice.random() < 0.3 else bytes(data))
            try:
                assert open_model(path).outputs
            except WorkbenchError as error:
                assert error.message and error.hint


def _refused(path: Path, words: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        open_model(path)
    assert words in caught.value.message
    assert caught.value.hint
