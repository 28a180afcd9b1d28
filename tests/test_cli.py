import json
import os
import subprocess
import sys

import pytest
import torch
from common import ROOT, bad_files, study_material
from PIL import Image

from stvae_lib import load_image, weights
from stvae_lib.cli import main

STYLE = str(ROOT / "data" / "styles" / "stained_glass_0.png")


@pytest.fixture
def photo(tmp_path):
    Image.effect_mandelbrot((70, 50), (-2, -1, 1, 1), 60).convert("RGB").save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def refused(arguments, out, capfd):
    """Exit 2, one line on stderr, nothing written."""
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    lines = capfd.readouterr().err.strip().splitlines()
    assert status == 2 and len(lines) == 1 and lines[0].startswith("stvae"), lines
    assert not out.exists()
    assert not [path for path in out.parent.glob(".*")], "temporary file left"
    return lines[0]


@pytest.mark.parametrize("model", ["vgg19-slim", "resnet50-slim"])
def test_stylize_writes_a_picture_of_the_same_size(model, photo, tmp_path):
    out = tmp_path / "out.png"
    assert main(["stylize", photo, STYLE, "-o", str(out), "--model", model]) == 0
    assert load_image(out).shape == load_image(photo).shape


def test_all_options_together(photo, tmp_path):
    out = tmp_path / "out.jpg"
    second = STYLE.replace("stained_glass", "woodcut")
    assert main(["stylize", photo, STYLE, second, "-o", str(out), "--mix", "0.5", "0.5", "--strength", "0.7", "--size", "48",
                 "--sample", "--seed", "3", "--model", "vgg19-slim-paper", "--device", "cpu"]) == 0
    assert max(load_image(out).shape) == 48


def test_drawn_larger_and_shrunk(photo, tmp_path):
    plain, larger = tmp_path / "plain.png", tmp_path / "larger.png"
    assert main(["stylize", photo, STYLE, "-o", str(plain), "--size", "48"]) == 0
    assert main(["stylize", photo, STYLE, "-o", str(larger), "--size", "48", "--oversample", "1.5"]) == 0
    assert load_image(larger).shape == load_image(plain).shape
    assert not torch.allclose(load_image(larger), load_image(plain), atol=0.02)


def test_an_encoded_style_stands_in_for_its_picture(photo, tmp_path, capfd):
    code, by_picture, by_code = tmp_path / "glass.safetensors", tmp_path / "a.png", tmp_path / "b.png"
    assert main(["encode", STYLE, "-o", str(code), "--device", "cpu"]) == 0
    assert main(["stylize", photo, STYLE, "-o", str(by_picture), "--device", "cpu"]) == 0
    assert main(["stylize", photo, str(code), "-o", str(by_code), "--device", "cpu"]) == 0
    assert torch.equal(load_image(by_picture), load_image(by_code))
    out = tmp_path / "c.png"
    assert "another model" in refused(["stylize", photo, str(code), "-o", str(out), "--model", "vgg19-slim-paper"], out, capfd)
    assert "safetensors" in refused(["encode", STYLE, "-o", str(out)], out, capfd)


@pytest.mark.parametrize("arguments", [
    ["method-1", "--set", "edge_weight", "2"], ["method-2", "--set", "colour", "lab", "--mix", "1"],
    ["method-3", "--set", "scales", "[1.0]", "--set", "layers", '["relu3_1"]'], ["adain"], ["wct"]])
def test_every_baseline_writes_a_picture(arguments, photo, tmp_path, capfd):
    out = tmp_path / "out.png"
    few = ["--set", "iterations", "12"] if arguments[0].startswith("method") else []
    assert main(["baseline", arguments[0], photo, STYLE, "-o", str(out), "--device", "cpu", *arguments[1:], *few]) == 0
    assert load_image(out).shape == load_image(photo).shape and not torch.equal(load_image(out), load_image(photo))
    assert f"{len(few) and 12} evaluations" in capfd.readouterr().out


def test_masks_and_maps_reach_the_baselines(photo, tmp_path):
    few = ["--set", "iterations", "1", "--device", "cpu", "-o", str(tmp_path / "out.png")]
    assert main(["baseline", "method-2", photo, STYLE, "--masks", photo, "--content-mask", photo, *few]) == 0
    assert main(["baseline", "method-3", photo, STYLE, "--maps", photo, STYLE, *few]) == 0


@pytest.mark.parametrize(("arguments", "word"), [
    (["method-4"], "method-4"), (["method-1", "--set", "speed", "3"], "speed"), (["method-2", "--masks", STYLE, STYLE], "masks"),
    (["method-2", "--set", "colour", "cmyk"], "cmyk"), (["adain", "--set", "colour", "lab"], "colour"),
    (["method-3", "--maps", STYLE], "maps"), (["wct", "--network", "vgg20"], "vgg20"),
    (["adain", "--size", "0"], "whole number from 16"), (["adain", "--size", "-5"], "whole number from 16")])
def test_bad_baseline_options(arguments, word, photo, tmp_path, capfd):
    out = tmp_path / "out.png"
    line = refused(["baseline", arguments[0], photo, STYLE, "-o", str(out), "--device", "cpu", *arguments[1:]], out, capfd)
    assert word in line


def test_bad_pictures_as_photo_and_as_style(photo, tmp_path, capfd):
    for name in bad_files(tmp_path):
        out = tmp_path / "result.png"
        assert name in refused(["stylize", str(tmp_path / name), STYLE, "-o", str(out)], out, capfd)
        assert name in refused(["stylize", photo, str(tmp_path / name), "-o", str(out)], out, capfd)


@pytest.mark.parametrize(("extra", "word"), [
    (["--model", "vgg20"], "vgg20"), (["--mix", "0.5", "0.5"], "mix"), (["--strength", "3"], "strength"),
    (["--device", "warp9"], "warp9"), (["--size", "3"], "size"), (["--model", "vgg19-slim-autoencoder"], "autoencoder"),
    (["--seed", "many"], "seed"), (["--oversample", "9"], "oversample"), (["--oversample", "nan"], "oversample")])
def test_bad_options(extra, word, photo, tmp_path, capfd):
    out = tmp_path / "result.png"
    assert word in refused(["stylize", photo, STYLE, "-o", str(out), *extra], out, capfd)


def test_unwritable_output(photo, tmp_path, capfd):
    out = tmp_path / "missing" / "result.png"
    assert "result.png" in refused(["stylize", photo, STYLE, "-o", str(out)], out, capfd)
    assert "format" in refused(["stylize", photo, STYLE, "-o", str(tmp_path / "result.xyz")], tmp_path / "result.xyz", capfd)


def test_cut_weights_file(photo, tmp_path, capfd):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((weights.FOLDER / "vgg19-slim.safetensors").read_bytes()[:9000])
    out = tmp_path / "result.png"
    assert "cut.safetensors" in refused(["stylize", photo, STYLE, "-o", str(out), "--model", str(cut)], out, capfd)


def test_folder_without_pictures(tmp_path, capfd):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "results"
    assert "no pictures" in refused(["stylize", str(tmp_path / "empty"), STYLE, "-o", str(out)], out, capfd)
    wrong_mix = ["stylize", str(ROOT / "data" / "styles"), STYLE, "-o", str(out), "--mix", "1", "2"]
    assert "mix" in refused(wrong_mix, out, capfd)


def test_a_folder_is_done_but_for_its_bad_files(tmp_path, capfd):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.effect_noise((40, 30), 60).save(folder / "a.jpg")
    Image.effect_noise((40, 30), 60).save(folder / "b.jpg")
    Image.effect_noise((40, 30), 60).save(folder / "b.png")
    (folder / "broken.jpg").write_text("no picture")
    assert main(["stylize", str(folder), STYLE, "-o", str(tmp_path / "out")]) == 1
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["a.png", "b_jpg.png", "b_png.png"]
    said = capfd.readouterr()
    assert "broken.jpg" in said.err and said.out.splitlines()[-1] == f"{tmp_path / 'out'}: 3 done, 0 skipped, 1 failed"


def test_no_input_is_overwritten(photo, tmp_path, capfd):
    """Neither by its own name, nor through a link, nor by a folder that is the photographs' own or holds the style."""
    folder, link, linked = tmp_path / "photos", tmp_path / "link.png", tmp_path / "linked"
    folder.mkdir()
    style = Image.open(STYLE).convert("RGB")
    style.save(folder / "a.jpg")
    style.save(tmp_path / "a.png")
    link.symlink_to(photo)
    linked.symlink_to(folder)
    model, to_model = tmp_path / "model.safetensors", tmp_path / "to_model.png"
    model.write_bytes((weights.FOLDER / "vgg19-slim-paper.safetensors").read_bytes())
    to_model.symlink_to(model)
    by_folder = {path: ["stylize", str(folder), str(tmp_path / "a.png"), "-o", str(path)] for path in (folder, linked, tmp_path)}
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for arguments in (["stylize", photo, STYLE, "-o", photo], ["stylize", photo, STYLE, "-o", str(link)],
                      ["stylize", STYLE, photo, "-o", str(tmp_path / "linked" / ".." / "photo.png")], *by_folder.values(),
                      ["baseline", "adain", photo, STYLE, "-o", photo],
                      ["stylize", photo, STYLE, "-o", str(to_model), "--model", str(model)],
                      ["encode", STYLE, "-o", str(model), "--force", "--model", str(model)],
                      ["sheet", photo, "--styles", str(folder), "-o", str(to_model), "--model", str(model)],
                      ["baseline", "adain", photo, STYLE, "-o", str(to_model), "--network", str(model)],
                      ["baseline", "method-2", STYLE, STYLE, "--content-mask", photo, "-o", photo]):
        assert main(arguments) == 2
        lines = capfd.readouterr().err.splitlines()
        assert len(lines) == 1 and "choose another" in lines[0], lines
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_encode_replaces_style_files_alone(photo, tmp_path, capfd):
    code, model = tmp_path / "glass.safetensors", tmp_path / "model.safetensors"
    model.write_bytes((weights.FOLDER / "vgg19-slim.safetensors").read_bytes())
    assert main(["encode", STYLE, "-o", str(model), "--device", "cpu"]) == 2
    assert "model.safetensors: exists and is no style file" in capfd.readouterr().err
    assert model.read_bytes() == (weights.FOLDER / "vgg19-slim.safetensors").read_bytes()
    assert main(["encode", STYLE, "-o", str(code), "--device", "cpu"]) == 0
    first = code.read_bytes()
    assert main(["encode", photo, "-o", str(code), "--device", "cpu"]) == 0
    assert code.read_bytes() != first


def test_a_reader_that_stops_reading_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([sys.executable, "-m", "stvae_lib", "info"], stdout=writing, stderr=subprocess.PIPE, text=True,
                           env=os.environ)
    os.close(writing)
    assert ended.returncode == 141 and ended.stderr == ""


def test_the_installed_command_has_no_traceback(tmp_path):
    command = [sys.executable, "-m", "stvae_lib", "stylize", "missing.jpg", STYLE, "-o", str(tmp_path / "o.png")]
    ended = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and ended.stdout == ""


@pytest.mark.parametrize("arguments", [["train", "vlt", "--config", "missing.json"], ["report", "-p", "no_such", "1"],
                                       ["report", "--only", "99"], ["info", "vgg20"], ["bench", "--sizes", "2"], ["paint"],
                                       ["export", "vgg20", "--onnx", "result"], ["export", "vgg19-slim"],
                                       ["export", "vgg19-slim-paper", "--onnx", "result"],
                                       ["export", "vgg19-slim-autoencoder", "--page", "result"]])
def test_other_commands_refuse_bad_input(arguments, tmp_path, capfd):
    if arguments[0] == "train":
        arguments = [*arguments, "--content-dir", "c", "--style-dir", "s", "--out", str(tmp_path / "result")]
    refused([str(tmp_path / part) if part == "result" else part for part in arguments], tmp_path / "result", capfd)


@pytest.mark.slow
def test_export_writes_graphs_and_names_the_note_on_them(tmp_path, capsys):
    assert main(["export", "vgg19-slim", "--onnx", str(tmp_path / "onnx")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "onnx" / "model.json")
    assert len(list((tmp_path / "onnx").glob("*.onnx"))) == 4


def test_info_lists_models_and_shows_a_card(capsys):
    assert main(["info"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in weights.SHIPPED)
    assert main(["info", "vgg19-slim"]) == 0
    assert '"sha256"' in capsys.readouterr().out


@pytest.fixture
def study(tmp_path):
    """A study's page and a file of votes for it, by simulated raters."""
    from stvae_lib.report.study.design import read_key
    from stvae_lib.report.study.simulate import simulated_ballots

    page, votes = tmp_path / "study.html", tmp_path / "votes.jsonl"
    folder = study_material(tmp_path / "material")
    assert main(["study", "make", str(folder), "-o", str(page), "--votes", "12", "--size", "64"]) == 0
    raters = simulated_ballots(read_key(tmp_path / "study.key.json"), {"wct": 2.0, "adain": 0.0, "vgg19-slim": -2.0}, 5)
    votes.write_text("".join(json.dumps(rater) + "\n" for rater in raters))
    return page, votes


def test_a_study_goes_from_a_folder_to_a_table(study, tmp_path, capfd):
    out = tmp_path / "merged.json"
    assert main(["study", "read", str(study[1]), "--key", str(tmp_path / "study.key.json"), "-o", str(out)]) == 0
    said = capfd.readouterr().out
    assert "SIMULATED" in said and "5 raters, 5 kept, 60 votes" in said
    assert said.index("wct ") < said.index("adain ") < said.index("vgg19-slim ")
    assert json.loads(out.read_text())["simulated"] is True


def test_a_study_refuses_bad_input(study, tmp_path, capfd):
    capfd.readouterr()
    page, votes = study
    key, out, cut = str(tmp_path / "study.key.json"), tmp_path / "out" / "merged.json", tmp_path / "cut.json"
    out.parent.mkdir()
    cut.write_text(votes.read_text()[:300])
    assert "not whole JSON" in refused(["study", "read", str(cut), "--key", key, "-o", str(out)], out, capfd)
    cut.write_text(votes.read_text().splitlines()[0].replace('"choice": "left"', '"choice": "up"'))
    assert "unknown choice" in refused(["study", "read", str(cut), "--key", key, "-o", str(out)], out, capfd)
    assert "no key of a study" in refused(["study", "read", str(votes), "--key", str(votes), "-o", str(out)], out, capfd)
    assert "no page of a study" in refused(["study", "serve", str(votes)], out, capfd)
    missing = str(tmp_path / "missing")
    assert "no such folder" in refused(["study", "make", missing, "-o", str(out.with_suffix(".html"))], out, capfd)
    assert "required" in refused(["study", "read", str(votes)], out, capfd)
    before = votes.read_bytes()
    assert main(["study", "read", str(votes), "--key", key, "-o", str(votes)]) == 2 and votes.read_bytes() == before
