"""Weights and style codes that somebody else made, or that a disk spoiled: refused in one line, before they cost anything."""

import json
import resource
import warnings

import pytest
import torch
from safetensors.torch import save_file

from stvae_lib import InputError, load, weights
from stvae_lib.model import mixing
from stvae_lib.model.storage import checksum, described_file, read_tensors, write_tensors
from stvae_lib.model.weights import base_file
from stvae_lib.provenance import tensor_bytes

SLIM = weights.FOLDER / "vgg19-slim.safetensors"
PAPER = weights.FOLDER / "vgg19-slim-paper.safetensors"


def refusal(call, *arguments) -> str:
    with pytest.raises(InputError) as refused:
        call(*arguments)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def written(path, architecture, tensors):
    save_file(tensors, path, metadata={"stvae": json.dumps(architecture)})
    return path


def test_a_size_that_the_file_does_not_hold_takes_no_memory(tmp_path):
    architecture = read_tensors(SLIM)[1]
    claims = architecture | {"options": architecture["options"] | {"latent": 200_000}}
    path = written(tmp_path / "claims.safetensors", claims, {"weight": torch.zeros(2)})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "claims.safetensors: does not fit the model" in refusal(load, path, "cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB; 3.4 GB if it were built


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("use", ["load", "loss_network"])
def test_numbers_that_are_none_are_refused(value, use, tmp_path):
    tensors, architecture = read_tensors(SLIM if use == "load" else weights.FOLDER / "vgg19-slim-features.safetensors")
    name = next(key for key in tensors if key.endswith("conv1_2.weight"))
    tensors[name][0, 0, 0, 0] = value
    path = tmp_path / "bad.safetensors"
    write_tensors(tensors, path, architecture, {})
    assert f"not finite, in '{name}'" in refusal(getattr(weights, use), str(path))


@pytest.mark.parametrize("change", [{"backbone": ["vgg19"]}, {"backbone": "vgg20"}, {"width": 3}, {"width": "wide"},
                                    {"options": 3}, {"options": {"latent": "many"}}, {"options": {"latent": -1}},
                                    {"options": {"latent": 10**30}}, {"variant": "fancy"}, {"base": 3},
                                    {"decoder_parameters": "x"}, {"decoder_parameters": -5}, {"backbone_options": [1]},
                                    {"backbone_options": {"lost": True}}, {"backbone_options": {"last": ["a"]}},
                                    {"backbone_options": {"last": {"a": None}}}, {"base": "nul\0"}, {"base": "x" * 5000}])
def test_descriptions_of_a_wrong_kind_are_refused(change, tmp_path):
    tensors, architecture = read_tensors(SLIM)
    path = tmp_path / "odd.safetensors"
    write_tensors(tensors, path, architecture | change, {})
    refusal(load, path, "cpu")


@pytest.mark.parametrize("options", [{"last": ["a"]}, {"lost": 1}, {"components": "many"}])
def test_features_and_untrained_models_of_a_wrong_description_are_refused(options, tmp_path):
    tensors, architecture = read_tensors(weights.FOLDER / "resnet50-slim-features.safetensors")
    path = tmp_path / "odd.safetensors"
    write_tensors(tensors, path, architecture | {"backbone_options": options}, {})
    for use in (weights.features_network, weights.untrained):
        refusal(use, path)


def test_an_encoder_alone_is_no_model():
    assert "holds an encoder alone; use a model such as vgg19-slim" in refusal(load, "vgg19-slim-features", "cpu")


@pytest.mark.parametrize("text", ["[]", "3", "null", '"vgg19"', "{", "[" * 100_000])
def test_metadata_that_is_no_description_is_refused(text, tmp_path):
    path = tmp_path / "odd.safetensors"
    save_file({"weight": torch.zeros(2)}, path, metadata={"stvae": text, "stvae_style": text})
    assert "does not say what model" in refusal(load, path, "cpu")
    assert "holds no style" in refusal(mixing.load_code, path, load("vgg19-slim", "cpu"))


@pytest.mark.parametrize("base", ["../other", "/other", "below/../../other"])
def test_a_base_lies_beside_the_file_or_is_shipped(base, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    tensors, architecture = read_tensors(PAPER)
    own = read_tensors(weights.find("vgg19-slim-autoencoder"))
    write_tensors(own[0], tmp_path / "other.safetensors", own[1], {})
    path = folder / "leads-out.safetensors"
    base = str(tmp_path / "other") if base.startswith("/") else base
    write_tensors(tensors, path, architecture | {"base": base}, {})
    assert "names a base outside its folder" in refusal(load, path, "cpu")
    write_tensors(tensors, path, architecture, {})
    assert load(path, "cpu").vlt.variant == "paper", "a shipped base need not be copied"
    write_tensors(tensors, path, architecture | {"base": "gone"}, {})
    assert "leads-out.safetensors: was trained on the base 'gone', which is not beside it" in refusal(load, path, "cpu")
    (folder / "own.safetensors").symlink_to(tmp_path / "other.safetensors")
    assert "outside" in refusal(base_file, path, "own")
    for base in ("nul\0", "x" * 5000, "\ud800"):
        assert "leads-out.safetensors: names a base that is no file name" in refusal(base_file, path, base)


def test_style_codes_of_other_content_are_refused(tmp_path):
    path, model = tmp_path / "code.safetensors", load("vgg19-slim-released", "cpu")
    mixing.save_code(model.encode_style(torch.rand(1, 3, 40, 48)), path, model)
    code = mixing.load_code(path, model)
    whole, described = mixing.read_described(path, "stvae_style", "", "")
    assert code.extras and torch.equal(code.mu, whole["mu"])
    nan = torch.full_like(whole["mu"], float("nan"))
    extra = next(name for name in whole if name.startswith("extras."))
    for change in ({"mu": None}, {"log_sigma": None}, {"mu": whole["mu"][:, :3]}, {"mu": nan}, {extra: None}, {"more": nan * 0},
                   {extra: whole[extra][:, :2].contiguous()}, {"mu": whole["mu"].to(torch.int32)}):
        tensors = {name: value for name, value in (whole | change).items() if value is not None}
        save_file(tensors, path, metadata={"stvae_style": json.dumps(described)})
        refusal(mixing.load_code, path, model)


@pytest.mark.parametrize("name", ["model", "code"])
def test_damage_is_found_without_a_card(name, tmp_path):
    path, model = tmp_path / f"{name}.safetensors", load("vgg19-slim-paper", "cpu")
    if name == "model":
        tensors, architecture = read_tensors(PAPER)
        write_tensors(tensors, path, architecture, {})
        path.with_suffix(".json").unlink()
    else:
        mixing.save_code(model.encode_style(torch.rand(1, 3, 40, 48)), path, model)
    use = (load, path, "cpu") if name == "model" else (mixing.load_code, path, model)
    use[0](*use[1:])
    whole = path.read_bytes()
    first = 8 + int.from_bytes(whole[:8], "little")
    flipped = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:] for place in (first, len(whole) - 4)]
    for damaged in (*flipped, whole.replace(b'"F32"', b'"I32"', 1)):
        path.write_bytes(damaged)
        assert f"{name}.safetensors: is damaged" in refusal(*use)


def test_what_a_file_says_of_itself_is_checked_and_written_alike(tmp_path):
    tensors, architecture = read_tensors(PAPER)
    path, whole = tmp_path / "model.safetensors", described_file(tensors, "stvae", architecture)
    assert all(described_file(tensors, "stvae", architecture) == whole for _ in range(5))
    path.write_bytes(whole.replace(b"vgg19", b"vgg16"))
    assert "is damaged" in refusal(load, path, "cpu")
    path.write_bytes(whole)
    assert read_tensors(path)[1] == architecture


def test_the_checksum_knows_all_types():
    values = {"a": torch.ones(2, dtype=torch.bfloat16), "b": torch.tensor(3), "c": torch.zeros(0), "d": torch.tensor([True])}
    assert len({checksum(values, {}), checksum(values, {"x": "y"}), checksum(values | {"c": torch.zeros(0, 1)}, {}),
                checksum(values | {"a": values["a"].view(torch.float16)}, {})}) == 4
    assert tensor_bytes(torch.tensor([1.5, 2])) == torch.tensor([1.5, 2]).numpy().tobytes()


@pytest.mark.parametrize("device", ["meta", "mkldnn"])
def test_a_device_that_computes_nothing_is_refused_without_a_warning(device):
    with warnings.catch_warnings(action="error"):
        assert "not available" in refusal(weights.pick_device, device)
