"""The page `Try it` and its runtime, without a browser and without a network."""

import pytest

from stvae_lib.errors import InputError
from stvae_lib.report import runtime, try_it


def test_without_its_runtime_the_page_says_so(npm_does, tmp_path):
    npm_does("exit 1")
    with pytest.warns(UserWarning, match="goes without its model"):
        page = try_it.build_try_it(tmp_path / "site", home="index.html")
    assert [path.name for path in page.parent.iterdir()] == ["try_it.html"]
    text = page.read_text(encoding="utf-8")
    assert "built without the program" in text and 'href="index.html"' in text
    assert text.count("<script") == 1 and "<button" not in text and "<input" not in text  # the frame's, for light and dark


def test_a_model_that_cannot_be_exported_leaves_nothing(npm_does, tmp_path):
    with pytest.raises(InputError, match="variant paper"):
        try_it.build_try_it(tmp_path / "site", "vgg19-slim-paper")
    assert not (tmp_path / "site").exists()


def test_a_target_that_cannot_be_written_is_found_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(try_it, "onnx_graphs", None)
    monkeypatch.setattr(try_it, "runtime_files", None)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: cannot be made"):
        try_it.build_try_it(tmp_path / "file")
    (tmp_path / "site" / "try_it.html").mkdir(parents=True)
    with pytest.raises(InputError, match="try_it.html: is a folder"):
        try_it.build_try_it(tmp_path / "site")


@pytest.mark.slow
def test_the_page_is_small_and_its_scripts_lie_beside_it(npm_does, packed, tmp_path, monkeypatch):
    archive, pinned = packed(runtime.PACKAGE)
    monkeypatch.setattr(runtime, "PACKAGE", pinned)
    npm_does(f"cp {archive} .")
    page = try_it.build_try_it(tmp_path / "site")
    assert page.stat().st_size < 1_500_000
    assert sorted(path.name for path in (page.parent / "try_it").iterdir()) == [
        "model.js", "runtime_wasm.js", "runtime_webgpu.js"]
    written = [page.read_text(encoding="utf-8"), *(path.read_text() for path in (page.parent / "try_it").iterdir())]
    assert not any(str(tmp_path) in text or "$" + "made" in text for text in written)
    assert "https://" not in written[0] and "http://" not in written[0].replace("http://www.w3.org/2000/svg", "")
