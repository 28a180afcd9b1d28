import numpy as np
import pytest

from stvae_lib.analysis.dial import NAMES, OTHER_FAMILY, STRIDE_8, Dial, gain

PAIRS = [[f"c{index % 6}", f"s{index % 4}"] for index in range(12)]
ENTROPY = (0.5, 0.7, 0.9, 1.0)


def recorded(effect, kept=(0.8, 0.8, 0.8, 0.8)):
    """A record in which the style distance by the other family is 1 - effect·entropy, and by the own one is not; `kept` of the
    photograph's structure at every temperature."""
    rng = np.random.default_rng(0)
    rows = []
    for network, other in OTHER_FAMILY.items():
        rows.append({"network": network, "temperature": None, "entropy": [0.8] * 12, other: {"style": [9.0] * 12}})
        for temperature, entropy, structure in zip((0.25, 1.0, 4.0, 16.0), ENTROPY, kept):
            values = (1 - effect * entropy + 0.01 * rng.standard_normal(12)).tolist()
            rows.append({"network": network, "temperature": temperature, "entropy": [entropy] * 12,
                         other: {"style": values, "texture": values, "kept": [structure] * 12},
                         network.removesuffix("-half"): {"style": [5.0] * 12}})
    return Dial({"pairs": PAIRS, "rows": rows})


def test_gain_is_the_share_by_which_a_distance_falls():
    entropy = np.array(ENTROPY)[:, None]
    assert gain(entropy, 2 - entropy) == pytest.approx(0.5 / (2 - 0.775))
    assert gain(entropy, np.full((4, 1), 3.0)) == pytest.approx(0)


def test_what_comes_without_a_softmax_is_told_by_the_other_family():
    dial = recorded(0.5)
    assert dial.plain("vgg16", "style") == 9.0
    assert dial.against_plain("vgg16").mean == pytest.approx(9 - 0.5, abs=0.02)


def test_the_claims_follow_the_effect_and_the_control_turns_them():
    for effect, verdict in ((0.5, "holds"), (0.0, "fails"), (-0.5, "fails")):
        claims = recorded(effect).claims()
        assert len(claims) == 2 * len(NAMES) and {claim.verdict for claim in claims} == {verdict}
    assert all(claim.control["verdict"] != "holds" for claim in recorded(0.5).claims())


def test_a_dial_that_also_sets_how_far_pictures_move_decides_nothing():
    assert {claim.verdict for claim in recorded(0.5, kept=(1.0, 0.9, 0.7, 0.5)).claims()} == {"confounded"}


def test_the_judge_that_counts_is_of_the_other_family():
    dial = recorded(0.5)
    assert dial.values("vgg16", "style").mean() < 1 and dial.values("vgg16", "style", "vgg16").mean() == 5
    assert dial.values("vgg16", "entropy").shape == (4, 12)


def test_peakier_activations_are_told_from_equal_and_from_flatter_ones():
    """Entropies and ranks of the ResNet below the VGG's, the same, and above."""
    noise = 0.001 * np.random.default_rng(2).standard_normal(12)
    for shift, verdict in ((-0.1, "holds"), (0.1, "fails")):
        vgg, resnet = [0.8 + noise] * 2, [0.8 + shift + noise[::-1]] * 2
        stages = {network: {layer: dict(zip(("entropy", "rank"), rows))}
                  for (network, layer), rows in zip(STRIDE_8.items(), (vgg, resnet))}
        assert {claim.verdict for claim in Dial({"stages": stages}).peaky()} == {verdict}


def test_stages_are_laid_over_their_strides_as_means_over_photographs():
    stages = {"vgg16": {"relu1_1": {"entropy": [0.2, 0.4]}, "relu4_1": {"entropy": [0.9, 0.7]}},
              "resnet50-half": {"layer2": {"entropy": [0.5, 0.5]}}}
    found = Dial({"stages": stages}).by_stride("entropy")
    assert found["VGG-16"] == ([1, 8], pytest.approx([0.3, 0.8])) and found["ResNet-50"] == ([8], [0.5])
