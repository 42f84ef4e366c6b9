"""Makes the tiny exports in this folder: the same encoder by both exporters of torch 2.13, weights random.

python make_exports.py    needs torch 2.13, onnx, onnxscript
"""

import os
from pathlib import Path

import onnx
import torch
from torch import nn

HERE = Path(__file__).parent
WIDTH, HEADS = 8, 2


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        q, k, v = (part.reshape(1, -1, HEADS, WIDTH // HEADS).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        weights = torch.softmax(q @ k.transpose(-1, -2) / 2.0, -1)
        return self.out((weights @ v).transpose(1, 2).reshape(1, -1, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(WIDTH), Attention()
        self.norm2, self.mlp = nn.LayerNorm(WIDTH), nn.Sequential(nn.Linear(WIDTH, 16), nn.GELU(), nn.Linear(16, WIDTH))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Block() for _ in range(3))
        self.head = nn.Sequential(nn.Linear(WIDTH, 4), nn.Tanh())

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x.mean(1))


def main():
    torch.manual_seed(0)
    model, x = Encoder().eval(), torch.zeros(1, 5, WIDTH)
    for parameter in model.parameters():
        nn.init.normal_(parameter)  # equal ones would be shared
    names = {"input_names": ["x"], "output_names": ["y"], "opset_version": 18}
    torch.onnx.export(model, (x,), HERE / "encoder_legacy.onnx", dynamo=False, **names)
    torch.onnx.export(model, (x,), HERE / "encoder_dynamo.onnx", dynamo=True, external_data=False, **names)
    for path in HERE.glob("*.onnx"):
        onnx.save(without_paths(onnx.load(path)), path)


def without_paths(proto):
    """Without what says where it was made: stack traces hold folders of the machine."""
    for node in proto.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key in ("namespace", "pkg.torch.onnx.name_scopes")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    proto.doc_string = ""
    del proto.metadata_props[:]
    return proto


if __name__ == "__main__":
    os.environ["TORCH_CPP_LOG_LEVEL"] = "ERROR"
    main()
