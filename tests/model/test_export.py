"""Models as ONNX: the same pictures by onnxruntime as by PyTorch."""

import json

import numpy as np
import onnx
import pytest
import torch

from stvae_lib import weights
from stvae_lib.errors import InputError
from stvae_lib.model import export
from stvae_lib.model.codes import mix_codes
from stvae_lib.model.stvae import pad_to_stride
from stvae_lib.pictures import styles
from stvae_lib.provenance import digest

onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime (pip install -e '.[test]')")

VGG = {"backbone": "vgg19", "width": "slim", "variant": "joint"}
MADE = {"skip and normalised": VGG | {"backbone_options": {"skip": "relu2_1"}, "options": {"normalised": True}}}


def made_model(name, folder):
    """A file with an untrained model whose every part has something to say."""
    torch.manual_seed(0)
    model = weights.build(MADE[name])
    for parameter in (model.vlt.modulator.net[2].weight, model.vlt.vae.encode_net[2].weight):
        torch.nn.init.normal_(parameter, std=0.05)
    path = folder / f"{name}.safetensors"
    weights.write_model(model, path, MADE[name], {"validation": {}})
    return path


@pytest.fixture(scope="module", params=["vgg19-slim", "resnet50-slim", *MADE])
def exported(request, tmp_path_factory):
    """A model, and a folder that it was exported to."""
    folder = tmp_path_factory.mktemp("onnx")
    name = made_model(request.param, folder) if request.param in MADE else request.param
    note = export.write_onnx(name, folder / "out")
    return weights.load_stvae(name, "cpu"), json.loads(note.read_text()), note.parent


class Graphs:
    """An exported folder under onnxruntime: what a program does that knows the note alone."""

    def __init__(self, folder, note):
        self.note = note
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.sessions = {part: onnxruntime.InferenceSession(folder / graph["file"], options)
                         for part, graph in note["graphs"].items()}

    def run(self, part, *values):
        names = self.note["graphs"][part]["inputs"]
        assert len(names) == len(values)
        return self.sessions[part].run(None, {name: np.asarray(value, np.float32) for name, value in zip(names, values)})

    def stylize(self, content, z, strength):
        padded = pad_to_stride(content, self.note["stride"])
        [features] = self.run("content_encoder", padded)
        moved, modulation = self.run("transform", features, z, strength)
        [picture] = self.run("decoder", moved, modulation, strength)
        return torch.from_numpy(picture)[..., :content.shape[2], :content.shape[3]]


@pytest.mark.slow
@pytest.mark.parametrize("height, width, strength", [(64, 64, 1.0), (50, 83, 0.6), (24, 120, 0.0)])
def test_pictures_are_those_of_pytorch(exported, height, width, strength):
    model, note, folder = exported
    graphs = Graphs(folder, note)
    content = styles.generate("brush_strokes", 128, 1)[..., :height, :width]
    paintings = [styles.generate("stained_glass", 96, 0), styles.generate("marbling", 128, 3)[..., :88]]
    codes = [model.encode_style(painting) for painting in paintings]
    for code, painting in zip(codes, paintings):
        mu, log_sigma = graphs.run("style_encoder", pad_to_stride(painting, note["stride"]))
        assert np.abs(mu - code.mu.numpy()).max() < 1e-3 and np.abs(log_sigma - code.log_sigma.numpy()).max() < 1e-3
    wanted = model.stylize(content, codes, mix=[0.3, 0.7], strength=strength)
    found = graphs.stylize(content, mix_codes(codes, [0.3, 0.7]).mu, strength)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 1e-3


@pytest.mark.slow
def test_the_note_says_what_lies_there(exported):
    model, note, folder = exported
    assert note["stride"] == model.encoder.stride and note["latent"] == model.vlt.latent
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["model.json", *(graph["file"] for graph in note["graphs"].values())])
    for graph in note["graphs"].values():
        data = (folder / graph["file"]).read_bytes()
        assert graph["sha256"] == digest(data) and graph["bytes"] == len(data)
    assert note["graphs"]["content_encoder"]["outputs"] == {"features": note["graphs"]["transform"]["inputs"]["features"]}


@pytest.mark.slow
def test_files_are_small_and_tell_nothing_of_the_machine(exported):
    model, note, folder = exported
    data = b"".join(path.read_bytes() for path in folder.glob("*.onnx"))
    encoder = sum(value.numel() for value in model.encoder.state_dict().values())
    whole = sum(value.numel() for value in model.state_dict().values())
    assert len(data) < 2.5 * (whole + encoder)  # two bytes for every weight; the encoder is in two graphs
    for place in (str(weights.FOLDER.parents[1]), "site-packages", ".py"):
        assert place.encode() not in data


@pytest.mark.parametrize("name", ["vgg19-slim-paper", "vgg19-slim-released", "vgg19-slim-autoencoder"])
def test_other_models_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="vgg19-slim"):
        export.write_onnx(name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_target_that_cannot_be_written_is_found_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "onnx_graphs", None)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: cannot be made"):
        export.write_onnx("vgg19-slim", tmp_path / "file")
    (tmp_path / "out" / export.NOTE).mkdir(parents=True)
    with pytest.raises(InputError, match="model.json: is a folder"):
        export.write_onnx("vgg19-slim", tmp_path / "out")


def test_weights_that_float16_cannot_hold_stay_as_they_are():
    exact = np.linspace(-1, 1, 513, dtype=np.float16).astype(np.float32)
    entries = {"exact": exact, "fine": exact + np.float32(1e-5), "large": exact + 1e6, "short": exact[:3]}
    nodes = [onnx.helper.make_node("Identity", [name], [f"{name}_out"]) for name in entries]
    outputs = [onnx.helper.make_tensor_value_info(f"{name}_out", onnx.TensorProto.FLOAT, [len(value)])
               for name, value in entries.items()]
    graph = onnx.helper.make_graph(nodes, "g", [], outputs,
                                   [onnx.numpy_helper.from_array(value, name) for name, value in entries.items()])
    export._halve_weights(graph)
    assert [entry.name for entry in graph.initializer if entry.data_type == onnx.TensorProto.FLOAT16] == ["exact.half"]
    opset = [onnx.helper.make_opsetid("", 20)]
    session = onnxruntime.InferenceSession(onnx.helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString())
    for value, found in zip(entries.values(), session.run(None, {})):
        assert np.array_equal(value, found)
