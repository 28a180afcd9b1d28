import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from stvae_lib.errors import InputError
from stvae_lib.report.study.design import read_key
from stvae_lib.report.study.page import EMBEDDED, make_study, read_page


def decoded(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))


def embedded(page) -> dict:
    return json.loads(EMBEDDED.search(page.read_text())[1])


def test_the_page_tells_no_method_and_asks_for_nothing(page, key):
    text = page.read_text()
    for name in ("adain", "vgg19", "wct", "bay", "glass", str(page.parent)):
        assert name not in re.sub(r"base64,[^\"]+", "", text)
    assert "vgg19-slim" in page.with_suffix(".key.json").read_text()
    assert not re.findall(r"(?:src|href)=\"(?!data:)", text) and "http" not in re.sub(r"base64,[^\"]+", "", text).replace(
        'startsWith("http")', "")


def test_pictures_are_numbers_and_all_results_have_the_size_of_their_content(page, key):
    shown = embedded(page)
    assert len(shown["trials"]) == len(key.trials) and shown["plans"] == key.plans
    sizes = [decoded(address).size for address in shown["pictures"]]
    for content, style, *results in shown["trials"]:
        assert len({content, style, *results}) == 4, "an original that is shown as a result is a picture of its own"
        assert {sizes[number] for number in (content, *results)} == {(64, 43)}
    assert len(sizes) == 3 + 2 + 18 + len({(trial.picture, trial.methods[0]) for trial in key.trials if trial.is_check})


def test_an_attention_check_shows_the_original(page, key):
    """Grey levels between them: the material is noise, of which no two pictures are alike."""
    shown = embedded(page)
    pixels = [np.asarray(decoded(address), dtype=float) for address in shown["pictures"]]
    for trial, (content, style, control, _) in zip(key.trials, shown["trials"]):
        for name, number in (("content", content), ("style", style)):
            distance = np.abs(pixels[control] - pixels[number]).mean()
            assert (distance < 12) == (trial.methods[0] == name), (trial, name, distance)


def test_the_same_seed_gives_the_same_study_and_another_another(material, page, key, tmp_path):
    same, other = (make_study(material, tmp_path / f"{seed}.html", votes=12, size=64, seed=seed)[0] for seed in (0, 1))
    assert same.read_text() == page.read_text() and read_page(same).study == key.study == read_page(page).study
    assert read_page(other).study != key.study
    asked, key_file = make_study(material, tmp_path / "q.html", votes=12, size=64, question="Which has <more> strokes?")
    assert read_page(asked).study == read_key(key_file).study != key.study
    assert embedded(asked)["question"] == "Which has <more> strokes?" and "<more>" not in asked.read_text()


def test_a_key_is_not_replaced_where_votes_need_it(material, tmp_path):
    make_study(material, tmp_path / "study.html", votes=12, size=64, seed=2)
    with pytest.raises(InputError, match="study.key.json: is there, and of another study; .* add --force"):
        make_study(material, tmp_path / "study.html", votes=12, size=64)
    page, key_file = make_study(material, tmp_path / "study.html", votes=12, size=64, force=True)
    before = page.read_bytes(), key_file.read_bytes()
    (tmp_path / "study.votes.jsonl").write_text("{}\n")
    with pytest.raises(InputError, match="study.votes.jsonl: holds votes of another study"):
        make_study(material, page, votes=12, size=64, seed=1, force=True)
    make_study(material, page, votes=12, size=64)
    assert (page.read_bytes(), key_file.read_bytes()) == before


def test_a_page_that_was_changed_or_is_none_is_refused(page, tmp_path):
    assert read_page(page).plans == read_key(page.with_suffix(".key.json")).plans
    changed = tmp_path / "changed.html"
    changed.write_text(page.read_text().replace("better painting of", "worse painting of"))
    with pytest.raises(InputError, match="is not as it was made"):
        read_page(changed)
    for text in ("", "<html></html>", '<script type="application/json" id="study">{}</script>'):
        changed.write_text(text)
        with pytest.raises(InputError, match="is no page of a study"):
            read_page(changed)
    with pytest.raises(InputError, match="no such file"):
        read_page(tmp_path / "missing.html")


@pytest.mark.parametrize("name, options, said", [
    ("study.txt", {}, "is no name of a page"), ("study.html", {"votes": 0}, "out of range"),
    ("study.html", {"size": 9}, "out of range")])
def test_what_makes_no_page_is_refused_and_nothing_written(material, tmp_path, name, options, said):
    with pytest.raises(InputError, match=said):
        make_study(material, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_result_of_another_shape_is_refused(material, tmp_path):
    odd = material / "wct" / "cat--wood.png"
    whole = odd.read_bytes()
    Image.new("RGB", (64, 64)).save(odd)
    try:
        with pytest.raises(InputError, match="another shape"):
            make_study(material, tmp_path / "study.html", size=64)
    finally:
        odd.write_bytes(whole)
    assert list(tmp_path.iterdir()) == []
