import numpy as np
import pytest

from stvae_lib.analysis.substitution import HOME, MARGINS, QUESTIONS, SIDES, Judged, Question, told
from stvae_lib.evaluation.intervals import Interval, difference_beyond, judge

PAIRS = [[f"photo{index % 6}", f"style{index % 10}"] for index in range(60)]
SEEDS = {"vgg16": 3, "layer2": 3}


class Cards:
    """PSNR of the arms, as their cards tell it."""

    def __init__(self, psnr: dict):
        self.psnr = psnr

    def values(self, arm, measure):
        return [self.psnr.get(arm, 20.0) + 0.05 * seed for seed in range(SEEDS.get(arm, 1))]


def recorded(style: dict, psnr: dict | None = None) -> Judged:
    """Arms whose style distance by each judge is given (arm -> {judge: distance}), 1 for all others; other measures alike."""
    rng, arms = np.random.default_rng(0), {}
    names = {name for question in QUESTIONS for _, *pair in ([None, question.first, question.second], question.control)
             for name in pair}
    for arm in sorted(names | {pair[1] for q in QUESTIONS if q.control_if_fails for pair in [q.control_if_fails]}):
        arms[arm] = {}
        for seed in range(SEEDS.get(arm, 1)):
            noise = 0.01 * rng.standard_normal((len(HOME), 60))
            arms[arm][f"s{seed}"] = {
                name: {"style": (style.get(arm, {}).get(name, 1.0) + row).tolist()}
                | {key: (0.5 + row).tolist() for key in ("texture", "kept", "find_t")} for name, row in zip(HOME, noise)}
    return Judged(Cards(psnr or {}), {"pairs": PAIRS, "arms": arms})


def verdicts(judged: Judged) -> dict[str, str]:
    return {question.statement: judged.claim(question).verdict for question in QUESTIONS}


def style_question(loser: str) -> str:
    return next(q.statement for q in QUESTIONS if q.statement.startswith(loser) and q.measure == "style")


def test_no_statement_is_made_twice():
    assert len({question.statement for question in QUESTIONS}) == len(QUESTIONS) > 20


def test_a_network_that_is_worse_by_both_judges_is_called_worse():
    worse = {name: 1.5 for name in HOME}
    found = verdicts(recorded({"layer2": worse, "layer2-c256": worse, "layer2-random": {name: 3.0 for name in HOME}}))
    assert found[style_question("ResNet-50 ends")] == "holds" and found[style_question("VGG-16 ends")] == "fails"


def test_home_advantages_cancel_and_are_told():
    """Each judge sees the other family's pictures as farther by the same share: nobody is called worse."""
    resnet = {"vgg16": 1.2, "resnet50": 1.0}
    judged = recorded({"vgg16": {"vgg16": 1.0, "resnet50": 1.2}, "layer2": resnet, "layer2-c256": resnet,
                       "layer2-random": {name: 3.0 for name in HOME}})
    found = verdicts(judged)
    assert found[style_question("ResNet-50 ends")] == found[style_question("VGG-16 ends")] == "fails"
    advantage = judged.home_advantage("layer2", "vgg16", "style")
    assert advantage.low > 0.2 and advantage.mean == pytest.approx(2 * 0.2 / 1.1, rel=0.05)
    assert judged.home_advantage("layer2-c256", "layer2", "style").high < 0.2


def test_a_difference_between_seeds_as_large_as_between_arms_decides_nothing():
    judged = recorded({"layer2": {name: 1.15 for name in HOME}})
    for name in HOME:
        for seed, shift in zip(("s0", "s1", "s2"), (-0.4, 0, 0.4)):
            row = judged.record["arms"]["layer2"][seed][name]
            row["style"] = list(np.array(row["style"]) + shift)
    assert verdicts(judged)[style_question("ResNet-50 ends")] == "undecided"


def test_psnr_is_compared_over_seeds():
    found = verdicts(recorded({}, {"vgg16": 25.0, "layer2": 20.0, "layer2-c256": 20.0, "layer4": 14.0}))
    redraws = {statement: verdict for statement, verdict in found.items() if "redraws worse than" in statement}
    assert redraws["ResNet-50 redraws worse than the other by more than 1.5 dB"] == "holds"
    assert redraws["VGG-16 redraws worse than the other by more than 1.5 dB"] == "fails"


def test_a_claim_whose_control_comes_out_alike_is_withdrawn():
    judged = recorded({"layer2": {name: 1.5 for name in HOME}})
    question = Question("s", "style", "layer2", "vgg16", difference_beyond(0.1), ("the same", "layer2", "vgg16"))
    assert judged.claim(question).verdict == "withdrawn"


def test_a_question_whose_arms_nobody_trained_is_open():
    judged = recorded({})
    assert not any(judged.missing(question) for question in QUESTIONS)
    del judged.record["arms"]["layer2-c256"]
    assert judged.missing(QUESTIONS[0]) == {"layer2-c256"}


def test_the_control_of_a_failure_is_missed_where_it_comes_to_that():
    judged = recorded({"vgg16": {name: 1.5 for name in HOME}})
    del judged.record["arms"]["layer2-random"]
    for loser, missing, verdict in (("VGG-16 ends", set(), "holds"), ("ResNet-50 ends", {"layer2-random"}, None)):
        question = next(q for q in QUESTIONS if q.statement == style_question(loser))
        assert judged.missing(question) == missing
        assert missing or judged.claim(question).verdict == verdict


@pytest.mark.parametrize(("shift", "verdict"), [(0.3, "holds"), (0.0, "fails")])
def test_a_trace_is_one_where_pictures_agree_with_their_own_photographs(shift, verdict):
    judged, noise = recorded({}), 0.02 * np.random.default_rng(1).standard_normal(60)
    judged.record["traces"] = {arm: {"stylised": (by + noise).tolist(), "redrawn": (by + noise[:20]).tolist()}
                               for arm, by in (("report-untrained", shift), ("report-trained", 0.5))}
    assert [claim.verdict for claim in judged.traces()] == [verdict, verdict]


def test_every_margin_is_the_one_that_its_questions_name():
    for question in QUESTIONS:
        if not question.first.startswith("report"):
            assert f"{MARGINS[question.measure]:g}" in question.rule.text


@pytest.mark.parametrize(("resnet", "sentence"), [(1.5, "ResNet-50 is worse"), (0.5, "VGG-16 is worse"), (1.0, "Neither")])
def test_a_sentence_tells_who_lost_or_that_nobody_did(resnet, sentence):
    level = {name: resnet for name in HOME}
    judged = recorded({"layer2": level, "layer2-c256": level, "layer2-random": {name: 3.0 for name in HOME}})
    claims = {name: judged.claim(next(q for q in QUESTIONS if q.measure == "style" and q.statement.startswith(name)
                                      and {q.first, q.second} == SIDES)) for name in ("ResNet-50", "VGG-16")}
    assert told(claims, "is worse in style").startswith(sentence)


def test_a_loser_by_an_undecided_margin_is_named_with_its_bound():
    """By a margin of 0.1 an interval of 0.02 to 0.18 decides nothing, but that VGG-16 is worse."""
    question = next(q for q in QUESTIONS if q.statement.startswith("VGG-16 ends") and q.measure == "style")
    claims = {"ResNet-50": judge("s", "here", Interval(-0.1, 0.08, 3), "seeds", question.rule, ("none", 0.0), ("a loser", 1.0)),
              "VGG-16": judge("s", "here", Interval(0.1, 0.08, 3), "seeds", question.rule, ("none", 0.0))}
    assert told(claims, "is worse") == ("VGG-16 is worse; whether by more than the margin is not decided here "
                                        "(0.10 [0.02, 0.18]; bound 0.1).")
    claims["VGG-16"] = judge("s", "here", Interval(0.1, 0.2, 3), "seeds", question.rule, ("none", 0.0))
    assert told(claims, "is worse").startswith("Whether VGG-16 is worse by more than the margin is not decided here (")


@pytest.mark.parametrize(("trained", "verdict"), [(20.0, "holds"), (14.0, "fails")])
def test_a_trained_set_up_is_held_against_one_flat_colour(trained, verdict):
    judged = recorded({}, {"report-trained": trained, "report-untrained": 4.0, "layer2": 22.0})
    judged.record["flat"] = 13.8
    claim = judged.shapes()
    assert claim.verdict == verdict and claim.figure == pytest.approx(trained - 13.8)
