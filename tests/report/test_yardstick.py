"""The yardstick's figures as tables and differences."""

import pytest

from stvae_lib.report.yardstick import COLOURS, EXCHANGED, FOUND, JUDGES, RECOLOURED, Yardstick


def row(style: float, kept: float) -> dict:
    found = {"find_s": 0.6, "find_t": 0.5, "find_c": 1.0}
    return {judge: {"style": style, "texture": style, "kept": kept} | found for judge in JUDGES}


@pytest.fixture()
def yardstick():
    differences = {"net": {"microast": {"resnet50": {"style": [-0.2, 0.1, 30], "kept": [0.1, 0.2, 30]}}}}
    ours = {"net": row(0.5, 0.6), "vgg19-slim@384": row(0.4, 0.7), "net@384": row(0.3, 0.7)}
    sixty = {"ours": ours, "differences": differences,
             "published": {"content": row(2.0, 1.0), "microast": row(0.8, 0.5)}}
    return Yardstick({"sixty": sixty, "own_judge": {"net": "vgg16"}, "ours": {"net, z = mu": [0.3, 0, 0, 0.4, 0.2, 1.7]},
                      "published": {"MicroAST, published weights": [0.6, 0, 0, 0.5, 0.1, 1.8]}})


def test_a_method_is_bracketed_under_the_network_it_was_trained_with(yardstick):
    rows = yardstick.sixty()
    assert [row["method"] for row in rows] == ["**vgg19-slim, drawn at 384 px**", "**net**", "MicroAST, published weights",
                                               "the content itself"]
    vgg, resnet = (f"{name}: style ↓ / strokes ↓ / kept ↑" for name in ("VGG-16", "ResNet-50"))
    for cells in rows:
        assert ("(" in cells[vgg]) == ("net*" in cells["method"]) and "(" not in cells[resnet]
        assert cells[FOUND] == "60 / 50 / 100"
    assert yardstick.own_judge("AdaIN in net") == "vgg16" and yardstick.own_judge("other") is None


def test_being_ahead_is_positive_whatever_the_measure(yardstick):
    style, kept = (yardstick.ahead("net", "microast", "resnet50", measure) for measure in ("style", "kept"))
    assert (style.mean, style.low, kept.mean, kept.n) == (0.2, pytest.approx(0.1), 0.1, 30)


def test_a_model_over_its_peer_by_each_judge(yardstick):
    found = yardstick.over_peer("net")
    assert list(found.values()) == pytest.approx([0.8, 0.5, 0.625, 0.625, 0.625]) and len(found) == 2 + len(JUDGES)


def test_the_committed_figures_can_be_read():
    committed = Yardstick.committed()
    assert len(committed.sixty()) > 10 and len(committed.twenty()) > 10


def test_a_standing_is_told_from_intervals_and_leaves_the_own_judge_out():
    rows = {judge: {measure: [mean, 0.1, 60] for measure, mean in (("style", -0.3), ("texture", 0.05), ("kept", -0.2))}
            for judge in JUDGES}
    record = {"sixty": {"ours": {}, "published": {}, "differences": {"net": {"microast": rows}}}, "own_judge": {"net": "vgg16"}}
    row = Yardstick(record).standing("net", "microast")
    assert row == {"model": "`net`", "beside": "MicroAST", "by": "ResNet-50 / VGG-19, distilled", "style": "ahead / ahead",
                   "strokes in grey": "undecided / undecided", "structure kept": "behind / behind"}


def test_style_is_shown_over_structure_at_one_size_and_not_by_a_models_own_judge(yardstick):
    assert yardstick.trade("resnet50") == {"net": (0.6, 0.5), "the content itself": (1.0, 2.0), "MicroAST": (0.5, 0.8)}
    assert list(yardstick.trade("vgg16")) == ["the content itself", "MicroAST"]


def test_finishing_is_told_of_models_and_of_peers_and_its_control_is_no_method():
    def gains(style):
        return {"resnet50": {"style": [style, 0.1, 30]}}

    names = "net", "as drawn in net", "colours alone in net", "colours exchanged in net", RECOLOURED
    sixty = {"ours": {name: row(0.5, 0.6) for name in names}, "published": {},
             "finishing": {"net": {"": gains(-0.2), COLOURS: gains(-0.1), EXCHANGED: gains(0.3)}}}
    peers = {"net": {"gains": {"microast, finished": gains(-0.1)}, "ahead": {"microast, finished": gains(0.4)}}}
    found = Yardstick({"sixty": sixty, "own_judge": {"net": "vgg16"}, "peers_finished": peers})
    assert [found.finishing("net", "resnet50", "style", kind).mean for kind in ("", COLOURS, EXCHANGED)] == [0.2, 0.1, -0.3]
    assert [gain.mean for gain in found.peer_finished("net", "microast", "resnet50", "style")] == [0.1, -0.4]
    rows = found.sixty()
    assert {cells["method"] for cells in rows} == {"**net**", "**as drawn in net**", f"**{RECOLOURED}**"}
    own = [value for cells in rows if "net" in cells["method"] for column, value in cells.items() if column.startswith("VGG-16")]
    assert own and all(value.startswith("(") for value in own), "its own judge, finished or not"
