import re

import pytest

from stvae_lib import InputError
from stvae_lib.report import parameters

DECLARED = {"content_dir": "str", "style_dir": "str", "out_dir": "str", "results_dir": "str", "model": "str", "size": "int",
            "rate": "float", "quick": "bool"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The caller's folder, with folders and weights of his."""
    for name in ("my_photos", "2024", "[2024] photos"):
        (tmp_path / name).mkdir()
    (tmp_path / "mine.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(given=None, file=None):
    return parameters.read_parameters(given or {}, file, DECLARED)


def test_folders_and_weights_are_the_callers(here):
    assert read({"content_dir": "my_photos", "model": "mine.safetensors", "style_dir": ""}) == {
        "content_dir": str(here / "my_photos"), "model": str(here / "mine.safetensors"), "style_dir": ""}
    assert read({"model": "vgg19-slim"}) == {"model": "vgg19-slim"}
    (here / "params").mkdir()
    (here / "params" / "mine.yaml").write_text("content_dir: my_photos\nsize: 64\n")
    assert read(file=here / "params" / "mine.yaml") == {"content_dir": str(here / "my_photos"), "size": 64}


@pytest.mark.parametrize("name", ["2024", "[2024] photos"])
def test_text_is_taken_as_written(name, here):
    assert read({"content_dir": name}) == {"content_dir": str(here / name)}


def test_text_in_a_file_is_taken_as_written(here):
    (here / "mine.yaml").write_text("content_dir: 2024\nstyle_dir: '[2024] photos'\nrate: 1e-3\nquick: yes\n")
    assert read({"quick": "false"}, here / "mine.yaml") == {
        "content_dir": str(here / "2024"), "style_dir": str(here / "[2024] photos"), "rate": 1e-3, "quick": False}


@pytest.mark.parametrize(("name", "text", "word"), [
    ("size", "large", "int"), ("size", "1.5", "int"), ("size", "true", "int"), ("size", "[3", "YAML"), ("size", "", "int"),
    ("rate", "fast", "float"), ("quick", "1", "bool"), ("content_dir", "nowhere", "nowhere"),
    ("content_dir", "mine.safetensors", "no such folder"), ("model", "yours.safetensors", "no such file"),
    ("out_dir", "x", "--out"), ("results_dir", "x", "--out"), ("sise", "3", "known: content_dir, model")])
def test_bad_values_are_refused_in_one_line(name, text, word, here):
    with pytest.raises(InputError, match=re.escape(word)) as refused:
        read({name: text})
    assert name in str(refused.value) and "\n" not in str(refused.value)
    file = here / "bad.yaml"
    file.write_text(f"{name}: {text}\n")
    with pytest.raises(InputError, match="bad.yaml|" + re.escape(word)) as refused:
        read(file=file)
    assert "\n" not in str(refused.value)


def test_bad_files_are_refused(here):
    for text in ("- only\n- a list\n", "size: [", "content_dir: [a, b]\n", "when: 2024-99-99\n", "size: " + "[" * 5000):
        (here / "bad.yaml").write_text(text)
        with pytest.raises(InputError):
            read(file=here / "bad.yaml")
    with pytest.raises(InputError, match="missing.yaml"):
        read(file=here / "missing.yaml")


def test_kept_parameters_come_back_and_differences_are_named(here):
    assert parameters.kept_parameters(here) is None
    parameters.keep_parameters(here, {"size": 64, "content_dir": "é"})
    kept = parameters.kept_parameters(here)
    assert kept == {"size": 64, "content_dir": "é"} and parameters.differences(kept, dict(kept)) == ""
    named = parameters.differences(kept, {"size": 65, "rate": 0.5})
    assert named == "size 64 → 65, content_dir 'é' → default, rate default → 0.5"
    for text in ("[", "[" * 100_000):
        (here / parameters.KEPT).write_text(text)
        with pytest.raises(InputError, match=parameters.KEPT):
            parameters.kept_parameters(here)
