"""A model as ONNX: four graphs that a program without PyTorch can run, a browser for one, and a note on how they fit.

    image --content_encoder--> features --+
    image --style_encoder--> mu, log_sigma +--transform--> features, modulation --decoder--> image

Between the second and the third lies what needs no network: z = mu, a sample, or a mix of several styles' (see `codes.py`).
"""

import json
import re
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..errors import InputError
from ..files import check_writable, make_folder, write_bytes, write_text
from ..provenance import digest, sha256
from . import weights
from .backbones.modulation import Modulation
from .stvae import STVAE

NOTE = "model.json"
WORTH_HALVING = 256  # entries: smaller tensors cost more by the cast than they save


class StyleEncoder(nn.Module):
    """Style image `(1, 3, H, W)` to the posterior's mu and log sigma, `(1, latent)` each."""

    def __init__(self, model: STVAE):
        super().__init__()
        self.encoder, self.vlt = model.encoder, model.vlt

    def forward(self, image: torch.Tensor):
        code = self.vlt.encode_style(self.encoder.features(image, self.vlt.style_layers))
        return code.mu, code.log_sigma


class Transform(nn.Module):
    """Content features `(1, C, h, w)`, z `(1, latent)` and strength `()` to features of the same shape in the style, and all
    gammas, then all betas, of the decoder's modulation in one row."""

    def __init__(self, model: STVAE):
        super().__init__()
        self.vlt = model.vlt

    def forward(self, features: torch.Tensor, z: torch.Tensor, strength: torch.Tensor):
        style = self.vlt.decode_style(z, None)
        moved = torch.lerp(features, self.vlt.transform(features, style), strength)
        return moved, torch.cat([value for values in zip(*style.modulation.pairs) for value in values], dim=1)


class Decoder(nn.Module):
    """Features, the row of modulations and strength `()` to an image `(1, 3, stride·h, stride·w)` in [0, 1]."""

    def __init__(self, model: STVAE):
        super().__init__()
        self.decoder, self.normalised = model.decoder, model.vlt.modulator.normalised

    def forward(self, features: torch.Tensor, modulation: torch.Tensor, strength: torch.Tensor):
        gammas, betas = (half.split(self.decoder.hidden_widths, dim=1) for half in modulation.chunk(2, dim=1))
        full = Modulation(list(zip(gammas, betas)), self.normalised)

        def by_strength(hidden, index):  # not the Modulation's own, which asks a number whether it is 1
            return torch.lerp(hidden, full(hidden, index), strength)

        return self.decoder(features, by_strength).clamp(0, 1)


def check_exportable(model: STVAE, name) -> None:
    """InputError unless a model is of variant joint with a modulated decoder: other variants pass more than z on."""
    if model.vlt.variant != "joint":
        raise InputError(name, f"is of variant {model.vlt.variant}, which cannot be exported",
                         "use a model of variant joint, such as vgg19-slim")
    if model.vlt.modulator is None:
        raise InputError(name, "has no modulation and cannot be exported", "use a modulated model, such as vgg19-slim")


def onnx_graphs(model: STVAE) -> dict[str, bytes]:
    """The four graphs as ONNX files' contents, by name. Sizes are dynamic; an image's sides are multiples of the encoder's
    stride, twice it at least (`stvae.pad_to_stride` is the caller's)."""
    model = model.cpu().to(memory_format=torch.contiguous_format)
    stride = model.encoder.stride
    rows, columns = torch.export.Dim("rows", min=2), torch.export.Dim("columns", min=2)
    sides, places = {2: stride * rows, 3: stride * columns}, {2: rows, 3: columns}
    # Sides that differ, and are no power of two: what an example shares with others, the exporter may take for a constant.
    image, strength = torch.rand(1, 3, 7 * stride, 5 * stride), torch.tensor(0.5)
    with torch.no_grad():
        features, z = model.encoder(image), torch.zeros(1, model.vlt.latent)
        transform = Transform(model)
        _, modulation = transform(features, z, strength)
    return {"content_encoder": _exported(model.encoder, {"image": image}, ["features"], [sides]),
            "style_encoder": _exported(StyleEncoder(model), {"image": image}, ["mu", "log_sigma"], [sides]),
            "transform": _exported(transform, {"features": features, "z": z, "strength": strength},
                                   ["moved", "modulation"], [places, None, None]),
            "decoder": _exported(Decoder(model), {"moved": features, "modulation": modulation, "strength": strength},
                                 ["picture"], [places, None, None])}


def _exported(module: nn.Module, inputs: dict, outputs: list[str], dynamic: list) -> bytes:
    """One graph. It keeps no trace of the machine: the exporter notes the source lines behind every node."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        program = torch.onnx.export(module.eval(), tuple(inputs.values()), input_names=list(inputs), output_names=outputs,
                                    dynamic_shapes=tuple(dynamic), dynamo=True, verbose=False)
    exported = program.model_proto
    graph = exported.graph
    for entry in (exported, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del entry.metadata_props[:]
        entry.doc_string = ""
    del graph.value_info[:]
    for value in graph.output:  # features, whose sides the exporter gives names of its own
        for side, symbol in zip(value.type.tensor_type.shape.dim[2:], ("rows", "columns")):
            side.dim_param = re.sub(r"^s\d+$", symbol, side.dim_param)
    _halve_weights(graph)
    return exported.SerializeToString()


def _halve_weights(graph) -> None:
    """Store weights that float16 holds exactly, which those of our files are, as float16, cast back where the graph begins:
    half the bytes, and not a bit of difference."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for entry in graph.initializer:
        values = numpy_helper.to_array(entry)
        if values.dtype != np.float32 or values.size < WORTH_HALVING:
            continue
        with np.errstate(over="ignore"):
            halved = values.astype(np.float16)
        if np.array_equal(halved.astype(np.float32), values):
            casts.append(helper.make_node("Cast", [f"{entry.name}.half"], [entry.name], to=TensorProto.FLOAT))
            entry.CopyFrom(numpy_helper.from_array(halved, f"{entry.name}.half"))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def describe_graphs(name, model: STVAE, graphs: dict[str, bytes]) -> dict:
    """What a program must know to use the graphs of the model `name` (one of `weights.find`'s)."""
    import onnx

    file, found = weights.find(name), {}
    for part, data in graphs.items():
        graph = onnx.load_from_string(data).graph
        found[part] = {"file": f"{part}.onnx", "bytes": len(data), "sha256": digest(data),
                       "inputs": _shapes(graph.input), "outputs": _shapes(graph.output)}
    return {"model": file.stem, "sha256": sha256(file), "latent": model.vlt.latent, "stride": model.encoder.stride,
            "finishing": "none: pictures are as drawn, not in the very colours of their style",
            "padding": "reflect images at right and bottom to multiples of stride, twice it at least; cut pictures back",
            "graphs": found}


def _shapes(values) -> dict[str, list]:
    return {value.name: [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim] for value in values}


def write_onnx(name, folder) -> Path:
    """Export the model `name` into a folder, made where needed: a file per graph and the note on them, which is returned."""
    model = weights.load_stvae(name, "cpu")
    check_exportable(model, name)
    folder = Path(folder)
    make_folder(folder)
    check_writable(folder / NOTE)
    graphs = onnx_graphs(model)
    for part, data in graphs.items():
        write_bytes(folder / f"{part}.onnx", data)
    write_text(folder / NOTE, json.dumps(describe_graphs(name, model, graphs), indent=1) + "\n")
    return folder / NOTE
