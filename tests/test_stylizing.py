"""What users of comparable commands expect of `stvae stylize`, `encode` and `sheet`."""

import errno
import io
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import argcomplete
import numpy as np
import psutil
import pytest
import torch
from common import ROOT
from PIL import Image
from skimage import color

from stvae_lib import baselines, cluster, load_image, reading, stylizing, weights
from stvae_lib.arguments import make_parser
from stvae_lib.baselines import refinement
from stvae_lib.cli import main
from stvae_lib.errors import NoRoom
from stvae_lib.files import alone_in
from stvae_lib.model import tiles
from stvae_lib.model.stvae import STVAE
from stvae_lib.pictures import images
from stvae_lib.pictures.images import to_array
from stvae_lib.report import figures

STYLE = str(ROOT / "data" / "styles" / "stained_glass_0.png")
PATH = {"PYTHONPATH": str(ROOT)}


@pytest.fixture
def photo(tmp_path):
    Image.effect_mandelbrot((70, 50), (-2, -1, 1, 1), 60).convert("RGB").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def folder(photo):
    """Two photographs, one of them under a second name that hides, and what is none."""
    folder = photo.parent / "photos"
    (folder / "more").mkdir(parents=True)
    for name in ("a.png", "b.png", ".hidden.png"):
        (folder / name).write_bytes(photo.read_bytes())
    for name in ("notes.txt", "clip.mp4", "list.txt"):
        (folder / name).touch()
    return folder


def refused(arguments, capfd) -> str:
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    said = capfd.readouterr()
    assert status == 2 and said.err.count("\n") == 1 and said.err.startswith("stvae") and not said.out, (status, said)
    return said.err


def test_standard_input_and_output_stand_in_for_files(photo, tmp_path, monkeypatch, capfdbinary):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(photo.read_bytes())))
    assert main(["stylize", "-", STYLE, "-o", "-", "--device", "cpu", "--oversample", "1.2"]) == 0
    written = capfdbinary.readouterr().out
    assert main(["stylize", str(photo), STYLE, "-o", str(tmp_path / "out.png"), "--device", "cpu", "--oversample", "1.2"]) == 0
    assert torch.equal(load_image(io.BytesIO(written), name="out"), load_image(tmp_path / "out.png"))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"no picture")))
    assert main(["stylize", "-", STYLE, "-o", "-", "--device", "cpu"]) == 2
    said = capfdbinary.readouterr()
    assert said.err.startswith(b"stvae: standard input: is not a picture") and said.out == b""


def test_standard_input_without_an_end_is_not_read_on(photo, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(reading, "LONGEST_STREAM", 2_000_000)
    for pictures in (["-", STYLE], [photo, "-"]):
        with open("/dev/zero", "rb") as endless:
            monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=endless))
            assert "standard input: is longer than 2 MB" in refused(["stylize", *pictures, "-o", tmp_path / "o.png"], capfd)
    monkeypatch.setattr(reading, "LONGEST_STREAM", photo.stat().st_size)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(photo.read_bytes())))
    assert main(["stylize", "-", STYLE, "-o", str(tmp_path / "o.png"), "--model", "vgg19-slim"]) == 0


def test_a_film_goes_to_no_standard_output(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert "cannot be written to standard output" in refused(["video", "clip.mp4", STYLE, "-o", "-"], capfd)
    assert not Path("-").exists()


@pytest.mark.parametrize(("closed", "picture", "out", "said"), [
    ("<&-", "-", "o.png", "stvae: standard input: is closed; name a file in place of -\n"),
    (">&-", "PHOTO", "-", "stvae: -o -: is given, and standard output is closed; name a file by -o\n"),
    (">&-", "PHOTO", "o.png", ""), ("2>&-", "PHOTO", "o.png", ""), ("<&- >&- 2>&-", "FOLDER", "out", "")])
def test_closed_streams_are_no_reason_for_a_traceback(closed, picture, out, said, photo, folder, tmp_path):
    picture = {"PHOTO": photo, "FOLDER": folder}.get(picture, picture)
    command = f"{sys.executable} -m stvae_lib stylize {picture} {STYLE} -o {out} --model vgg19-slim {closed}"
    ended = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, env=os.environ | PATH)
    assert (ended.returncode, ended.stderr, ended.stdout) == (2 if said else 0, said, "")
    assert (tmp_path / out).exists() == (not said)


@pytest.mark.parametrize("arguments", [["-", "-", "-o", "x.png"], ["PHOTO", STYLE, "-o", "-", "--json"],
                                       ["FOLDER", STYLE, "-o", "-"]])
def test_streams_have_one_purpose(arguments, photo, folder, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    refused(["stylize", *({"PHOTO": photo, "FOLDER": folder}.get(part, part) for part in arguments)], capfd)
    assert not (tmp_path / "x.png").exists()


def test_the_last_line_counts_what_was_done_skipped_and_failed(folder, tmp_path, capfd):
    (folder / "broken.jpg").write_text("no picture")
    out = tmp_path / "out"
    assert main(["stylize", str(folder), STYLE, "-o", str(out), "--device", "cpu"]) == 1
    said = capfd.readouterr()
    assert said.out.splitlines()[-1] == (f"{out}: 2 done, 5 skipped (2 .txt, 1 hidden, 1 .mp4, 1 sub-folder), 1 failed")
    assert "\nstvae: " in said.err and "broken.jpg" in said.err.splitlines()[-1]
    assert main(["stylize", str(folder), STYLE, "-o", str(out), "--device", "cpu", "--json"]) == 1
    told = json.loads(capfd.readouterr().out)
    assert [entry["file"] for entry in told["done"]] == [str(out / "a.png"), str(out / "b.png")]
    assert told["failed"][0]["file"] == str(folder / "broken.jpg") and len(told["skipped"]) == 5
    assert {"file": str(folder / "more"), "reason": "sub-folder"} in told["skipped"]


def test_json_of_one_photograph(photo, tmp_path, capfd):
    assert main(["stylize", str(photo), STYLE, "-o", str(tmp_path / "o.png"), "--device", "cpu", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {"done": [{"photo": str(photo), "file": str(tmp_path / "o.png")}],
                                                  "skipped": [], "failed": []}


@pytest.mark.parametrize("extra", [["--strength", "3"], ["--strength", "nan"], ["--mix", "1", "2"], ["--seed", str(2**64)],
                                   ["--seed", "-1"], ["--seed", "9" * 5000], ["--device", "meta"], ["--size", "9999999999999"]])
def test_a_wrong_option_is_said_once_and_before_the_first_photograph(extra, folder, tmp_path, capfd):
    refused(["stylize", folder, STYLE, "-o", tmp_path / "out", *extra], capfd)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [["stylize", "PHOTO", STYLE], ["baseline", "method-1", "PHOTO", STYLE],
                                     ["sheet", "PHOTO", "--styles", os.path.dirname(STYLE)]])
@pytest.mark.parametrize("out", ["x.xyz", "x.dds.unknown", "x.ico", "missing/x.png", "x" * 300 + ".png", "", "photos"])
def test_an_output_that_cannot_be_is_found_before_the_work(out, command, photo, folder, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(weights, "load", lambda *arguments: pytest.fail("the work began"))
    monkeypatch.setattr(weights, "loss_network", lambda *arguments: pytest.fail("the work began"))
    before = sorted(tmp_path.rglob("*"))
    refused([*(photo if part == "PHOTO" else part for part in command), "-o", tmp_path / out if out else ""], capfd)
    assert sorted(tmp_path.rglob("*")) == before


def test_names_of_300_characters_are_refused(tmp_path, photo, capfd):
    long = "x" * 300 + ".png"
    for arguments in (["stylize", long, STYLE, "-o", tmp_path / "o.png"], ["stylize", photo, long, "-o", tmp_path / "o.png"],
                      ["stylize", photo, STYLE, "-o", tmp_path / "o.png", "--model", "x" * 300 + ".safetensors"],
                      ["encode", STYLE, "-o", tmp_path / ("x" * 300 + ".safetensors")],
                      ["train", "vlt", "--config", long, "--content-dir", "c", "--style-dir", "s", "--out", tmp_path / "r"]):
        assert len(refused(arguments, capfd)) < 400


@pytest.fixture
def impatient():
    """A test that takes five minutes has failed."""
    kept = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits"))
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, kept)


@pytest.mark.parametrize("command", [
    ["stylize", "PIPE", STYLE, "-o", "o.png"], ["stylize", STYLE, "PIPE", "-o", "o.png"],
    ["encode", "PIPE", "-o", "o.safetensors"],
    ["stylize", ".", STYLE, "-o", "done", "--resume"], ["info", "model.safetensors"],
    ["stylize", STYLE, STYLE, "-o", "o.png", "--model", "model.safetensors"],
    ["stylize", STYLE, "P.safetensors", "-o", "o.png"], ["stylize", STYLE, STYLE, "-o", "o.png", "--model", "P.safetensors"],
    ["baseline", "adain", "PIPE", STYLE, "-o", "o.png"], ["video", "PIPE", STYLE, "-o", "o.mp4"], ["report", "-f", "PIPE"],
    ["train", "vlt", "--config", "PIPE", "--content-dir", ".", "--style-dir", ".", "--out", "o"],
    ["study", "read", "votes.json", "--key", "PIPE", "-o", "o.json"], ["study", "serve", "PIPE"]],
    ids=lambda command: " ".join(command[:2]))
def test_no_command_waits_for_a_named_pipe(command, impatient, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    Path("done").mkdir()
    Path("photo.jpg").symlink_to(STYLE)
    shutil.copy(weights.FOLDER / "vgg19-slim-paper.safetensors", "model.safetensors")
    for name in ("PIPE", "P.safetensors", "model.json", "done/.stylize.json"):
        os.mkfifo(name)
    before = {*tmp_path.rglob("*")}
    assert "is no regular file" in refused(command, capfd)
    assert {*tmp_path.rglob("*")} == before


def test_the_photographs_chroma_is_kept(photo, tmp_path):
    colourful = Image.merge("RGB", [Image.radial_gradient("L").resize((60, 50)), Image.linear_gradient("L").resize((60, 50)),
                                    Image.new("L", (60, 50), 128)])
    colourful.save(photo)
    for name, extra in (("plain", []), ("kept", ["--preserve-colour"])):
        assert main(["stylize", str(photo), STYLE, "-o", str(tmp_path / f"{name}.png"), "--device", "cpu", *extra]) == 0
    lab = {name: color.rgb2lab(to_array(load_image(tmp_path / f"{name}.png"))) for name in ("photo", "plain", "kept")}
    chroma = {name: np.abs(lab[name] - lab["photo"])[..., 1:].mean() for name in ("plain", "kept")}
    assert chroma["kept"] < 2 < 5 < chroma["plain"]
    assert np.abs(lab["kept"] - lab["photo"])[..., 0].mean() > 3


def test_the_last_step_can_be_left_out(photo, tmp_path):
    plain, finished = (drawn([photo, STYLE, *extra], tmp_path / "out.png") for extra in (["--as-drawn"], []))
    wanted = to_array(load_image(STYLE)).reshape(-1, 3)
    off = [np.abs(np.quantile(each.reshape(-1, 3), np.linspace(0, 1, 50), axis=0)
                  - np.quantile(wanted, np.linspace(0, 1, 50), axis=0)).mean() for each in (plain, finished)]
    assert off[1] < 0.5 * off[0], "colours are nearer to the style's, channel by channel"
    code = str(tmp_path / "style.safetensors")
    assert main(["encode", STYLE, "-o", code, "--device", "cpu"]) == 0
    assert np.array_equal(drawn([photo, code, "--as-drawn"], tmp_path / "out.png"), plain), "with a style file that has a palette"


def test_a_sheet_shows_every_photograph_in_every_style(photo, tmp_path, monkeypatch):
    styles = tmp_path / "styles"
    styles.mkdir()
    for name in ("stained_glass_0.png", "woodcut_0.png", "marbling_0.png"):
        (styles / name).write_bytes((ROOT / "data" / "styles" / name).read_bytes())
    shown, grid = [], figures.grid
    monkeypatch.setattr(figures, "grid", lambda *given, **more: shown.append(given) or grid(*given, **more))
    out = tmp_path / "sheet.jpg"
    few = ["--size", "64", "--device", "cpu", "--model", "vgg19-slim"]
    dollars = photo.with_name("a$_$b.png")  # would be mathematics to the library that letters the sheet
    dollars.write_bytes(photo.read_bytes())
    assert main(["sheet", str(photo), str(dollars), "--styles", str(styles), "-o", str(out), *few]) == 0
    rows, columns, names = shown[0]
    assert [len(row) for row in rows] == [4, 4, 4] and rows[0][0] is None
    assert columns == ["", "marb…ng_0", "stai…ss_0", "wood…ut_0"] and names == ["", "photo", r"a\$_\$b"]
    code = weights.load("vgg19-slim", "cpu").encode_style(load_image(styles / "marbling_0.png", 512))
    torch.testing.assert_close(rows[1][1], weights.load("vgg19-slim", "cpu").stylize(load_image(photo, 64), code))
    width, height = Image.open(out).size
    assert abs(width - 4 * 64) < 5 and 3 * 40 < height < 4 * 64


def test_a_sheet_is_silent_about_letters_that_its_font_lacks(photo, tmp_path, capfd):
    photo = photo.rename(tmp_path / "漢字.png")
    assert main(["sheet", str(photo), "--styles", str(tmp_path), "-o", str(tmp_path / "sheet.jpg"), "--size", "64", "--model",
                 "vgg19-slim"]) == 0
    assert "Glyph" not in capfd.readouterr().err


def test_encode_replaces_other_files_by_force_alone(tmp_path, capfd):
    weights_file = tmp_path / "mine.safetensors"
    weights_file.write_bytes((weights.FOLDER / "vgg19-slim.safetensors").read_bytes())
    before = weights_file.read_bytes()
    assert "--force" in refused(["encode", STYLE, "-o", weights_file, "--device", "cpu"], capfd)
    assert weights_file.read_bytes() == before
    assert main(["encode", STYLE, "-o", str(weights_file), "--device", "cpu", "--force"]) == 0
    assert weights_file.read_bytes() != before


@pytest.mark.parametrize("value", ["abc", "0", "-3", "1.5", "[1]", "NaN", "[" * 9999])
def test_a_value_that_an_option_cannot_have_is_named_as_such(value, photo, tmp_path, capfd):
    said = refused(["baseline", "method-1", photo, STYLE, "-o", tmp_path / "o.png", "--device", "cpu", "--set", "iterations",
                    value], capfd)
    assert "has iterations = " in said and "no such option" not in said


def test_an_optimisation_that_diverges_is_a_failure(photo, tmp_path, capfd, monkeypatch):
    history = SimpleNamespace(losses=[{}], seconds=1.0, stopped="diverged")
    monkeypatch.setitem(baselines.OPTIMISING, "method-1", lambda content, *rest, **options: (content, history))
    assert main(["baseline", "method-1", str(photo), STYLE, "-o", str(tmp_path / "o.png"), "--device", "cpu"]) == 1
    assert "diverged" in capfd.readouterr().err


def test_info_of_a_published_encoder_recommends_another(capfd):
    said = refused(["info", "vgg19"], capfd)
    assert "has no card" in said and "use one of vgg16-half, vgg19-slim," in said


def test_the_shell_completes_commands(monkeypatch):
    for name, value in {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": "stvae sty", "COMP_POINT": "9"}.items():
        monkeypatch.setenv(name, value)
    found = io.StringIO()
    argcomplete.autocomplete(make_parser(), exit_method=lambda status: None, output_stream=found)
    assert {word.strip() for word in found.getvalue().splitlines()} == {"stylize", "styles"}


def test_a_signal_to_a_training_is_told_as_shells_do(make_config, tmp_path, monkeypatch, capfd):
    from stvae_lib.training import experiment
    from stvae_lib.training.loop import TrainingInterrupted

    def interrupted(*arguments):
        raise TrainingInterrupted("ended by SIGTERM at step 3; the same command goes on from checkpoint.pt", 15)

    monkeypatch.setattr(experiment, "train", interrupted)
    assert main(["train", "vlt", "--config", str(make_config()), "--content-dir", "c", "--style-dir", "s", "--out",
                 str(tmp_path / "r"), "--device", "cpu"]) == 143
    assert capfd.readouterr().err == "stvae: ended by SIGTERM at step 3; the same command goes on from checkpoint.pt\n"


def drawn(arguments, out):
    assert main(["stylize", *map(str, arguments), "-o", str(out), "--device", "cpu"]) == 0
    return to_array(load_image(out)).astype(int)


def test_a_photograph_beyond_the_memory_is_drawn_in_tiles_to_the_same_result(tmp_path, monkeypatch, capfd):
    Image.effect_mandelbrot((333, 251), (-2, -1, 1, 1), 60).convert("RGB").save(tmp_path / "photo.png")
    monkeypatch.setattr(tiles, "PROCESS", 0)
    monkeypatch.setattr(tiles, "SHORTEST_TILE", 64)
    sizes, draw = [], tiles.TiledFeatures.boxes
    monkeypatch.setattr(tiles.TiledFeatures, "boxes", lambda self, doing: sizes.append(self.plan.side) or draw(self, doing))
    for extra, levels in (([], 1), (["--preserve-colour"], 2), (["--oversample", "1.5"], 4)):  # larger pictures are 8-bit too
        common = [tmp_path / "photo.png", STYLE, "--model", "vgg19-slim", *extra]
        whole = drawn(common, tmp_path / "whole.png")
        assert not sizes
        tiled = drawn([*common, "--max-memory", "18MB"], tmp_path / "tiled.png")
        assert set(sizes) == {8} and tiled.shape == whole.shape and np.abs(tiled - whole).max() <= levels
        sizes.clear()
    capfd.readouterr()
    assert "allow 0.1 GB" in refused(["stylize", *common, "-o", tmp_path / "o.png", "--max-memory", "1MB"], capfd)
    assert not (tmp_path / "o.png").exists()


def test_what_is_kept_between_tiles_lies_beside_the_result_where_memory_has_no_room(tmp_path, monkeypatch):
    photo = tmp_path / "photo.png"
    Image.effect_mandelbrot((333, 251), (-2, -1, 1, 1), 60).convert("RGB").save(photo)
    monkeypatch.setattr(tiles, "PROCESS", 0)
    monkeypatch.setattr(tiles, "SHORTEST_TILE", 32)
    monkeypatch.setattr(tiles.Tiler, "_kept", lambda self, pixels, left: (None, 0, left))
    folders, draw = set(), tiles.TiledFeatures.boxes
    monkeypatch.setattr(tiles.TiledFeatures, "boxes", lambda self, doing: folders.add(self.plan.folder) or draw(self, doing))
    (tmp_path / "out").mkdir()
    common = [photo, STYLE, "--model", "vgg16-half"]
    whole = drawn(common, tmp_path / "whole.png")
    tiled = drawn([*common, "--max-memory", "30MB"], tmp_path / "out" / "tiled.png")
    assert folders == {tmp_path / "out"} and [file.name for file in folders.pop().iterdir()] == ["tiled.png"]
    assert np.abs(tiled - whole).max() <= 3


@pytest.fixture
def slim_losses(monkeypatch):
    monkeypatch.setattr(refinement, "LOSS_NETWORK", weights.LOSS_NETWORK)


def test_refined_pictures_are_nearer_to_their_style(photo, tmp_path, slim_losses, capfd):
    common = [photo, STYLE, "--model", "vgg19-slim"]
    content, style = load_image(photo), load_image(STYLE, stylizing.STYLE_SIZE)
    distances, found = weights.feature_distances().calibrate([content, style]), {}
    for steps in (0, 8):
        drawn([*common, "--refine", str(steps)], tmp_path / "o.png")
        found[steps] = distances.between(load_image(tmp_path / "o.png"), content, style)["gram"]
    assert found[8] < 0.9 * found[0]


def test_what_cannot_be_refined_is_refused(photo, tmp_path, slim_losses, capfd):
    out, code = tmp_path / "o.png", tmp_path / "glass.safetensors"
    assert main(["encode", STYLE, "-o", str(code), "--model", "vgg19-slim", "--device", "cpu"]) == 0
    common = ["--model", "vgg19-slim", "-o", out, "--refine", "2"]
    capfd.readouterr()
    assert "glass.safetensors: holds no picture, which --refine asks for" in refused(["stylize", photo, code, *common], capfd)
    said = refused(["stylize", photo, STYLE, *common, "--max-memory", "610MB"], capfd)
    assert "photo.png: is drawn at 70x50 pixels, which take more than --max-memory to refine" in said
    assert not out.exists()


@pytest.mark.parametrize("memory", ["4", "GB", "-1GB", "nanGB", "1e9GB", "4TB", "9" * 400 + "GB"])
def test_what_is_no_memory_is_refused(memory, photo, tmp_path, capfd):
    assert "is no memory" in refused(["stylize", photo, STYLE, "-o", tmp_path / "o.png", f"--max-memory={memory}"], capfd)


def test_a_huge_photograph_is_refused_before_it_is_decoded(tmp_path, photo, monkeypatch, capfd):
    Image.new("1", (13000, 13000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 50_000
    decoded, to_rgb = [], images._to_rgb
    monkeypatch.setattr(images, "_to_rgb", lambda picture: decoded.append(picture.size) or to_rgb(picture))
    said = refused(["stylize", tmp_path / "bomb.png", STYLE, "-o", tmp_path / "o.png"], capfd)
    assert "bomb.png: has 13000x13000 pixels, more than 100 megapixels; give a --size, or --allow-huge" in said
    assert (13000, 13000) not in decoded and len(decoded) == 1, "the style alone"


def test_a_huge_photograph_is_drawn_where_that_is_asked_for(photo, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(reading, "HUGE", 1000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow's own limit, twice this
    Image.new("RGB", (30, 30), "orange").save(tmp_path / "style.png")
    command = ["stylize", str(photo), str(tmp_path / "style.png"), "-o", str(tmp_path / "o.png")]
    assert "has 70x50 pixels, more than" in refused(command, capfd)
    assert main([*command, "--allow-huge"]) == 0
    assert load_image(tmp_path / "o.png", most=10**4).shape == (1, 3, 50, 70)
    assert main([*command, "--size", "35"]) == 0
    assert load_image(tmp_path / "o.png").shape == (1, 3, 25, 35)
    capfd.readouterr()
    said = refused([*command, "--size", "35", "--max-memory", "500MB"], capfd)
    assert "photo.png: has 70x50 pixels, which take 0.6 GB to read; allow them by --max-memory, or scale" in said


def test_a_huge_style_is_refused_before_it_is_decoded(photo, tmp_path, monkeypatch, capfd):
    Image.new("1", (13000, 13000)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(images, "_to_rgb", lambda picture: pytest.fail("it was decoded"))
    for command in (["stylize", photo, tmp_path / "bomb.png", "-o", tmp_path / "o.png"],
                    ["encode", tmp_path / "bomb.png", "-o", tmp_path / "o.safetensors"],
                    ["sheet", tmp_path / "bomb.png", "--styles", ROOT / "data" / "styles", "-o", tmp_path / "o.png"],
                    ["baseline", "adain", tmp_path / "bomb.png", STYLE, "-o", tmp_path / "o.png"]):
        assert "bomb.png: has 13000x13000 pixels; scale it down to 100 megapixels first" in refused(command, capfd)


def test_a_picture_in_a_picture_is_no_larger_than_its_file_says(photo, tmp_path, capfd):
    """An icon's file holds pictures of its own, as one of Pillow's tests does that would take 260 gigapixels."""
    Image.new("1", (20_000, 20_000)).save(tmp_path / "inside.png")
    inside = (tmp_path / "inside.png").read_bytes()
    icon = b"ic07" + (8 + len(inside)).to_bytes(4) + inside
    (tmp_path / "bomb.icns").write_bytes(b"icns" + (8 + len(icon)).to_bytes(4) + icon)
    for pair in ([tmp_path / "bomb.icns", STYLE], [photo, tmp_path / "bomb.icns"]):
        assert "bomb.icns: is too large" in refused(["stylize", *pair, "-o", tmp_path / "o.png"], capfd)


def test_a_style_that_would_be_a_line_of_pixels_is_named(photo, tmp_path, capfd):
    Image.new("1", (4 * 10**6, 20)).save(tmp_path / "thin.png")
    said = refused(["stylize", photo, tmp_path / "thin.png", "-o", tmp_path / "o.png"], capfd)
    assert "thin.png: is 512x1 pixels at this size; every side must be at least 16 pixels" in said


@pytest.mark.parametrize(("suffix", "more"), [("gif", ", all of them by `stvae video`"), ("png", ""), ("webp", ""),
                                               ("tif", None)])
def test_an_animated_picture_is_drawn_by_its_first_frame(suffix, more, tmp_path, capfd):
    """Which is said, once; pages of a TIFF file are none."""
    first, second = (Image.new("RGB", (30, 20), colour) for colour in ("red", "blue"))
    first.save(tmp_path / f"photo.{suffix}", save_all=True, append_images=[second])
    assert main(["stylize", str(tmp_path / f"photo.{suffix}"), STYLE, "-o", str(tmp_path / "o.png"), "--model", "vgg19-slim",
                 "--oversample", "1.5"]) == 0
    said = f"stvae: {tmp_path}/photo.{suffix}: is animated, and its first frame alone is drawn{more}\n"
    assert capfd.readouterr().err == ("" if more is None else said)
    code = str(tmp_path / "o.safetensors")
    assert main(["encode", str(tmp_path / f"photo.{suffix}"), "-o", code, "--model", "vgg19-slim"]) == 0
    said = f"stvae: {tmp_path}/photo.{suffix}: is animated, and its first frame alone is the style\n"
    assert capfd.readouterr().err == ("" if more is None else said)


def test_an_animated_picture_that_is_refused_is_told_of_in_one_line(photo, tmp_path, capfd):
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "tiny.gif", save_all=True, append_images=[second])
    for command in (["stylize", photo, tmp_path / "tiny.gif", "-o", tmp_path / "o.png"],
                    ["stylize", tmp_path / "tiny.gif", STYLE, "-o", tmp_path / "o.png"],
                    ["encode", tmp_path / "tiny.gif", "-o", tmp_path / "o.safetensors"]):
        assert "tiny.gif: is 8x8 pixels at this size" in refused(command, capfd)


def test_resume_leaves_out_what_is_whole(folder, tmp_path, capfd):
    out, style = tmp_path / "out", tmp_path / "style.png"
    Image.open(STYLE).save(style)
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
    command = ["stylize", str(folder), str(style), "-o", str(out), "--device", "cpu"]
    assert main([*command, "--resume"]) == 0, "nothing is there yet"
    assert "3 done" in capfd.readouterr().out
    whole = {name: (out / name).read_bytes() for name in ("a.png", "b.png", "c.png")}
    (out / "a.png").unlink()
    (out / "b.png").write_bytes(whole["b.png"][:len(whole["b.png"]) // 2])
    before = (out / "c.png").stat()
    assert main([*command, "--resume"]) == 0
    assert capfd.readouterr().out.startswith(f"{out}: 2 done, 6 skipped (2 .txt, 1 hidden, 1 .mp4, 1 sub-folder, 1 done before)")
    assert {name: (out / name).read_bytes() for name in whole} == whole and (out / "c.png").stat() == before
    assert "other settings (strength)" in refused([*command, "--resume", "--strength", "0.5"], capfd)
    assert {name: (out / name).read_bytes() for name in whole} == whole
    Image.open(ROOT / "data" / "styles" / "woodcut_0.png").save(style)
    assert "other settings (styles)" in refused([*command, "--resume"], capfd)
    photos = '{"settings": {}, "photos": {"a.png": {"result": %s, "size": 1, "mtime_ns": 1}}}'
    for damage in ("[", "{}", photos % '"../a"', photos % "1"):
        (out / ".stylize.json").write_text(damage)
        assert ".stylize.json: is damaged" in refused([*command, "--resume"], capfd)
    assert main(command) == 0, "begun anew"
    assert "3 done" in capfd.readouterr().out
    os.utime(out / "a.png", (0, 0))  # of an earlier command, which the new one did not come to
    assert main([*command, "--resume"]) == 0
    assert "1 done, 7 skipped" in capfd.readouterr().out


def test_resume_takes_no_result_for_that_of_another_photograph(tmp_path, capfd):
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    command = ["stylize", str(folder), STYLE, "-o", str(out), "--device", "cpu", "--model", "vgg19-slim", "--resume"]
    Image.new("RGB", (30, 20), "red").save(folder / "a.jpg")
    Image.new("RGB", (30, 20), "blue").save(folder / "a.png")
    assert main(command) == 0
    before = {name: (out / name).read_bytes() for name in ("a_jpg.png", "a_png.png")}
    Image.new("RGB", (32, 20), "green").save(folder / "a_jpg.gif")
    assert main(command) == 0
    assert "1 done, 2 skipped (2 done before)" in capfd.readouterr().out
    assert Image.open(out / "a_jpg_gif.png").size == (32, 20)
    assert {name: (out / name).read_bytes() for name in before} == before
    Image.new("RGB", (34, 20), "blue").save(folder / "a.png")
    assert main(command) == 0
    assert "1 done, 2 skipped (2 done before)" in capfd.readouterr().out
    assert Image.open(out / "a_png.png").size == (34, 20)
    (folder / "a.png").write_text("no picture")
    for _ in range(2):
        assert main(command) == 1
        assert "0 done, 2 skipped (2 done before), 1 failed" in capfd.readouterr().out
    assert not (out / "a_png.png").exists(), "what is of another photograph is no result"


def test_a_folder_of_results_is_for_one_command_at_a_time(folder, tmp_path, capfd):
    out = tmp_path / "out"
    with alone_in(out):
        assert f"{out}: is being worked in by another process" in refused(["stylize", folder, STYLE, "-o", out], capfd)
    assert not out.exists()


def test_a_full_disk_ends_a_folder_at_once(folder, tmp_path, monkeypatch, capfd):
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
    out, drawn_before, replace = tmp_path / "out", [], os.replace
    monkeypatch.setattr(stylizing, "stylized", lambda *given: drawn_before.append(given) or torch.zeros(1, 3, 20, 20))

    def full(source, target):
        if str(target).endswith("b.png"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert main(["stylize", str(folder), STYLE, "-o", str(out), "--device", "cpu", "--model", "vgg19-slim"]) == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith(f"stvae: {out / 'b.png'}: cannot be written (No space left on device), after 1 done, 5 skipped")
    assert last.endswith("and go on with --resume") and len(drawn_before) == 2


@pytest.mark.parametrize("gone", ["photographs", "results"])
def test_a_folder_that_goes_away_ends_the_work_at_once(gone, folder, tmp_path, monkeypatch, capfd):
    for name in "defg":
        (folder / f"{name}.png").write_bytes((folder / "a.png").read_bytes())
    out, drawn = tmp_path / "out", stylizing.stylized

    def taken_away(tools, source, *rest):
        if source.name == "b.png" or not folder.exists():
            (folder if gone == "photographs" else out).rename(tmp_path / "elsewhere")
        return drawn(tools, source, *rest)

    monkeypatch.setattr(stylizing, "stylized", taken_away)
    assert main(["stylize", str(folder), STYLE, "-o", str(out), "--device", "cpu", "--model", "vgg19-slim-paper"]) == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert f"stvae: {folder if gone == 'photographs' else out}: is gone, after 1 done, " in last
    assert last.endswith("1 failed; bring it back, and go on with --resume")


def test_what_is_wrong_with_a_disk_comes_back_from_a_worker():
    error = pickle.loads(pickle.dumps(NoRoom(Path("a.png"), "cannot be written", "make room")))
    assert type(error) is NoRoom and str(error) == "a.png: cannot be written; make room"


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")])
def test_too_little_memory_is_said_in_a_line(error, photo, folder, tmp_path, monkeypatch, capfd):
    def fails(*arguments, **more):
        raise error

    monkeypatch.setattr(STVAE, "stylize", fails)
    few = [STYLE, "--device", "cpu", "--model", "vgg19-slim", "-o"]
    said = refused(["stylize", photo, *few, tmp_path / "o.png"], capfd)
    assert said == "stvae: stylize: takes more memory than there is; give a smaller --size, or a smaller --max-memory\n"
    assert main(["stylize", str(folder), *few, str(tmp_path / "out")]) == 1
    assert capfd.readouterr().err.count("takes more memory than there is") == 2
    monkeypatch.setattr(images, "_to_rgb", fails)
    if isinstance(error, MemoryError):
        assert "takes more memory" in refused(["stylize", photo, *few, tmp_path / "o.png"], capfd)


@pytest.mark.parametrize("extra", [["PHOTO", "--resume"], ["PHOTO", "--scheduler", "local"], ["FOLDER", "--workers", "2"],
                                   ["FOLDER", "-", "--scheduler", "local"], ["FOLDER", "--scheduler", "x", "--workers", "2"]])
def test_options_of_folders_are_refused_elsewhere(extra, photo, folder, tmp_path, capfd):
    first, *rest = [{"PHOTO": photo, "FOLDER": folder}.get(part, part) for part in extra]
    refused(["stylize", first, STYLE, *rest, "-o", tmp_path / "o.png"], capfd)
    assert not (tmp_path / "o.png").exists()


def test_the_extra_for_workers_is_named_where_it_is_missing(folder, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = refused(["stylize", folder, STYLE, "-o", tmp_path / "out", "--scheduler", "local"], capfd)
    assert "pip install 'stvae-notebooks[cluster]'" in said
    assert not (tmp_path / "out").exists()


def test_a_scheduler_out_of_reach_is_found_before_anything_is_made(folder, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(cluster, "ANSWER", 0.5)
    command = ["stylize", folder, STYLE, "-o", tmp_path / "out", "--scheduler"]
    assert "cannot be reached" in refused([*command, "tcp://127.0.0.1:1"], capfd)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [
    ["stylize", "", STYLE], ["stylize", "PHOTO", ""], ["stylize", "PHOTO", STYLE, "--model", ""], ["video", "", STYLE],
    ["stylize", "FOLDER", STYLE, "--scheduler", ""], ["baseline", "adain", "PHOTO", STYLE, "--network", ""], ["encode", ""]])
def test_empty_names_are_refused(command, photo, folder, tmp_path, monkeypatch, capfd):
    """An empty path would be the folder that one is in."""
    monkeypatch.chdir(folder)
    command = [{"PHOTO": photo, "FOLDER": folder}.get(part, part) for part in command]
    assert "an empty name is given" in refused([*command, "-o", "out"], capfd)
    assert not (folder / "out").exists()


@pytest.mark.slow
def test_a_folder_spread_over_workers_one_of_which_is_killed(photo, tmp_path, capfd):
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02d}.png").write_bytes(photo.read_bytes())
    (folder / "broken.png").write_bytes(photo.read_bytes()[:200])
    killed = []

    def kill_one():
        while not list(out.glob("*.png")):
            time.sleep(0.02)
        workers = [child for child in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]
        workers[0].kill()
        killed.append(workers[0].pid)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    assert main(["stylize", str(folder), STYLE, "-o", str(out), "--device", "cpu", "--scheduler", "local", "--workers", "2"]) == 1
    killer.join(timeout=10)
    said = capfd.readouterr()
    assert killed and said.out == f"{out}: 12 done, 0 skipped, 1 failed\n" and "broken.png: cannot be decoded" in said.err
    results = [file.read_bytes() for file in out.glob("[!.]*.png")]  # without what the killed one was writing
    assert len(results) == 12 and len(set(results)) == 1
    assert main(["stylize", str(photo), STYLE, "-o", str(tmp_path / "alone.png"), "--device", "cpu"]) == 0
    difference = to_array(load_image(tmp_path / "alone.png")).astype(int) - to_array(load_image(out / "00.png"))
    assert np.abs(difference).max() <= 1


def test_a_worker_that_outlives_a_command_reads_a_style_that_was_replaced(photo, tmp_path):
    """As those of a standing scheduler do."""
    style = tmp_path / "style.png"
    arguments = make_parser().parse_args(["stylize", str(photo), str(style), "-o", "-", "--model", "vgg19-slim"])
    made = {}
    for number, kind in enumerate(("stained_glass_0", "marbling_0")):
        style.write_bytes((ROOT / "data" / "styles" / f"{kind}.png").read_bytes())
        os.utime(style, ns=(number, number))
        assert stylizing.on_worker(arguments, photo, tmp_path / f"{kind}.png") is None
        made[kind] = to_array(load_image(tmp_path / f"{kind}.png"))
    assert not np.array_equal(*made.values())


def test_a_worker_warns_in_a_line(tmp_path, capfd):
    first, second = (Image.new("RGB", (30, 20), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "photo.gif", save_all=True, append_images=[second])
    arguments = make_parser().parse_args(["stylize", str(tmp_path / "photo.gif"), STYLE, "-o", "-", "--model", "vgg19-slim"])
    assert stylizing.on_worker(arguments, arguments.photo, tmp_path / "o.png") is None
    said = capfd.readouterr().err
    assert said.startswith(f"stvae: {tmp_path / 'photo.gif'}: is animated") and said.count("\n") == 1
