import json

import pytest

from stvae_lib import InputError
from stvae_lib.evaluation.intervals import above, by_reading, judge
from stvae_lib.report import archive


def test_recorded_stages_count_images_on(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "ROOT", tmp_path)
    for name, images in (("first", 10), ("second", 40)):
        folder = tmp_path / "data" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "log.csv").write_text(f"step,seconds,images,loss\n1,2.0,{images // 2},3.0\n2,4.0,{images},1.0\n")
        (folder / "card.json").write_text(f'{{"images": {images}, "seconds": 4.0, "steps": 2}}')
    log, card = archive.recorded_stages("first", "second")
    assert log["images"].tolist() == [5, 10, 30, 50] and log["seconds"].tolist() == [2, 4, 6, 8]
    assert card["images"] == 50 and card["steps"] == 2
    with pytest.raises(InputError, match="third"):
        archive.recorded_run("third")


def test_cut_results_are_said_in_one_line(tmp_path):
    for text in ("", '{"notebook": "01", "resu', "[" * 100_000):
        (tmp_path / "01").mkdir(exist_ok=True)
        (tmp_path / "01" / "results.json").write_text(text)
        assert not archive.has_results(tmp_path, "01") and not archive.has_results(tmp_path, "02")
        with pytest.raises(InputError, match="01/results.json: is no whole JSON file") as refused:
            archive.read_claims(tmp_path)
        assert "\n" not in str(refused.value)


def write_cards(folder, values: dict):
    """Cards `{run: validation}` below `folder`, as a sweep leaves them."""
    for name, validation in values.items():
        (folder / name).mkdir(parents=True)
        card = {"validation": validation, "recipe": {"base": None}, "images": 10}
        (folder / name / "card.json").write_text(json.dumps(card))


@pytest.fixture
def arms(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "ROOT", tmp_path)
    runs = {f"s{seed}-{arm}-1-autoencoder": {"psnr": value + seed / 10, "ssim": 0.5}
            for arm, value in {"a": 20.0, "e": 22.0}.items() for seed in (0, 1, 2)}
    runs |= {"s0-c-1-autoencoder": {"psnr": 16.0, "ssim": 0.3}, "s0-c-2-transform": {"style": 0.4, "content": 2.0}}
    write_cards(tmp_path / "data" / "runs" / "arms", runs)
    return archive.Arms("arms", borrowed={("b", "2-transform"): ("c", "2-transform")})


def test_arms_know_their_seeds_and_what_an_interval_is_over(arms):
    assert arms.repeated() == ["a", "e"] and arms.seeds("e") == [0, 1, 2] and arms.seeds("c") == [0]
    assert arms.values("a", "psnr") == [20.0, 20.1, 20.2] and arms.values("c", "style") == [0.4]
    paired, over_seeds = arms.difference("e", "a", "psnr")
    assert paired.mean == pytest.approx(2) and paired.half == pytest.approx(0, abs=1e-9) and "seeds of decoder" in over_seeds
    single, pooled = arms.difference("e", "c", "psnr")
    assert single.mean == pytest.approx(6.1) and single.n == 1 and single.half > 0.2
    assert pooled.startswith("run of c and 3 of e, unpaired") and pooled.endswith("in 2 arms")
    assert arms.same_seeds("e", "a") and not arms.same_seeds("e", "c") and not arms.same_seeds("c", "c"), "one run is no pair"
    assert arms.card("b", "style") == arms.card("c", "style"), "what an arm lacks is borrowed"
    assert arms.unexplained("c") is None, "no features were taught"


def test_what_was_taught_is_read_off_the_card_of_the_features():
    arms = archive.Arms("resnet50")
    for arm, name, layer in (("a-vgg19", "vgg19-slim-features", "relu4_1"), ("e-layer2", "resnet50-slim-features", "layer2"),
                             ("f-plain", "resnet50/features-plain-2-frozen", "layer2")):
        assert arms.unexplained(arm) == archive.recorded_card(name)["validation"][layer]


@pytest.fixture()
def compared(tmp_path, monkeypatch):
    """Two methods on four pairs, a third on three of them: methods of experiment "some"."""
    pairs = [("cat", "glass", True), ("dog", "glass", True), ("cat", "oil", False), ("dog", "oil", False)]
    for method, values, count in (("one", (1.0, 2.0, 3.0, 4.0), 4), ("two", (1.5, 1.0, 1.0, 1.0), 4), ("late", (0, 0, 0, 0), 3)):
        rows = [{"photo": photo, "style_name": style, "glass": glass, "far": value, "margin": value - 2}
                | {"eye: strokes margin": value - 1.5, "eye: kept margin": 1, "eye: pasted margin": value - 3.5}
                for (photo, style, glass), value in zip(pairs[:count], values)]
        folder = tmp_path / "data" / "runs" / "some" / method
        folder.mkdir(parents=True)
        (folder / "card.json").write_text(json.dumps({"rows": rows}))
    monkeypatch.setattr(archive, "ROOT", tmp_path)
    return tmp_path


def test_a_comparison_by_method_metric_and_pair(compared):
    comparison = archive.Comparison("some", ["one", "two"])
    assert comparison.photos == ["cat", "dog"] * 2 and comparison.mean("one", "far") == 2.5
    assert comparison.found("one", "margin").tolist() == [0, 0, 1, 1]
    assert comparison.fused("one", "eye").tolist() == [0, 1, 1, 0], "neither without strokes nor with the style's layout"
    some = comparison.share(comparison.found("one", "margin"))
    assert some.mean == 0.5 and 0 <= some.low < some.high <= 1
    everywhere = comparison.share([1.0] * 4)
    assert everywhere.mean == 1 and 0 < everywhere.low < 0.5, "two photographs that agree are not four"
    difference = comparison.difference("one", "two", "far")
    assert difference.mean == pytest.approx(1.375) and difference.n == 2
    glass = comparison.where(glass=True)
    assert glass.column("one", "far").tolist() == [1, 2] and set(glass.styles) == {"glass"}


def test_a_comparison_that_is_not_finished_says_so(compared):
    with pytest.raises(InputError, match="some/late: has 3 of 4 pairs; run"):
        archive.Comparison("some", ["one", "late"])


def test_claims_come_back_by_notebook(tmp_path):
    claims = [judge("it moves", "here", 2.0, "", above(1), ("stillness", 0.0)), by_reading("it is said", "a.py#L1", "there")]
    for name, some in (("02_second", claims[1:]), ("01_first", claims[:1]), ("03_none", [])):
        (tmp_path / name).mkdir()
        text = json.dumps({"notebook": name, "claims": [claim.to_json() for claim in some]})
        (tmp_path / name / "results.json").write_text(text)
    found = archive.claims_by_notebook(tmp_path)
    assert found == {"01_first": claims[:1], "02_second": claims[1:]} and list(found) == ["01_first", "02_second"]
