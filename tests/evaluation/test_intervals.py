import math

import numpy as np
import pytest

from stvae_lib.evaluation import intervals
from stvae_lib.evaluation.intervals import Interval, judge


def test_interval_of_three_seeds():
    mean, half = intervals.mean_interval([1.0, 2.0, 3.0])
    assert mean == 2 and half == pytest.approx(4.3027 / math.sqrt(3), rel=1e-3)
    assert intervals.mean_interval([5.0]) == (5.0, None)
    assert intervals.plus_minus([1.0, 2.0, 3.0], 1) == "2.0 ± 2.5" and intervals.plus_minus([5.0]) == "5.00"


def test_clusters_count_not_the_values_in_them():
    values = [1.0, 1.1, 0.9, 1.0, 3.0, 3.1, 2.9, 3.0, 2.0, 2.1, 1.9, 2.0]
    labels = [photo for photo in "abc" for _ in range(4)]
    free, clustered = Interval.of(values), Interval.of(values, labels)
    assert free.n == 12 and clustered.n == 3 and clustered.mean == free.mean
    assert clustered.half >= Interval.of([1.0, 3.0, 2.0]).half - 1e-9 > free.half
    assert Interval.of(values, ["a"] * 12).half is None
    with pytest.raises(ValueError, match="labels"):
        Interval.of(values, labels[:3])


def test_pairs_decide_where_intervals_overlap():
    first, second = [1.0, 2.0, 3.0, 4.0], [0.8, 1.9, 2.8, 3.9]
    assert Interval.of(first).low < Interval.of(second).high
    assert intervals.difference_beyond(0)(intervals.paired(first, second)) == "holds"


@pytest.mark.parametrize("rule, holds, fails, undecided", [
    (intervals.difference_beyond(0.5), (1.0, 0.2), (0.0, 0.2), (0.5, 0.2)),
    (intervals.above(2), (3.0, 0.5), (1.0, 0.5), (2.0, 0.5)),
    (intervals.below(2), (1.0, 0.5), (3.0, 0.5), (2.0, 0.5)),
    (intervals.no_difference_beyond(1), (0.2, 0.5), (-3.0, 0.5), (1.0, 0.5))])
def test_a_rule_comes_out_every_way(rule, holds, fails, undecided):
    assert rule(Interval(*holds, 4)) == "holds"
    assert rule(Interval(*fails, 4)) == "fails"
    assert rule(Interval(*undecided, 4)) == "undecided"
    assert rule(Interval(holds[0], None, 1)) == "undecided", "one run of something that varies decides nothing"
    assert rule(holds[0]) == "holds", "a figure over which nothing varies is its own interval"
    assert "holds where" in rule.text and "undecided" in rule.text


def test_a_share_comes_out_every_way():
    rule = intervals.share_at_least(0.5)
    assert [rule(intervals.share(count, 20)) for count in (19, 1, 11)] == ["holds", "fails", "undecided"]
    share = intervals.share(20, 20)
    assert share.high == 1 and share.low == pytest.approx(0.8316, abs=1e-3) and share.n == 20


def test_a_control_that_does_not_turn_the_verdict_withdraws_it():
    rule, measured = intervals.above(0), Interval(2.0, 0.5, 4)
    turned = judge("it moves", "this notebook", measured, "photographs", rule, ("shuffled", Interval(-1.0, 0.5, 4)))
    assert turned.verdict == "holds" and turned.control["verdict"] == "fails" and turned.varies == "4 photographs"
    blind = judge("it moves", "this notebook", measured, "photographs", rule, ("shuffled", Interval(3.0, 0.5, 4)))
    assert blind.verdict == "withdrawn" and blind.control["figure"] == "3.00 [2.50, 3.50]"
    shaky = Interval(0.2, 0.5, 4)
    assert judge("it moves", "here", shaky, "photographs", rule, ("shuffled", shaky)).verdict == "undecided"
    still = Interval(-2.0, 0.5, 4)
    assert judge("it moves", "here", still, "photographs", rule, ("shuffled", still)).verdict == "withdrawn"
    assert judge("it moves", "here", still, "photographs", rule, ("shuffled", still), ("a mover", 1.0)).verdict == "fails"
    wide = judge("it moves", "this notebook", Interval(2.0, 5.0, 4), "photographs", rule, ("shuffled", Interval(0.0, 5.0, 4)))
    assert wide.verdict == "undecided", "nothing was decided that could be withdrawn"
    fallen = judge("it moves", "this notebook", Interval(-2.0, 0.5, 4), "photographs", rule, ("a mover", 1.0))
    assert fallen.verdict == "fails" and fallen.control["verdict"] == "holds"


def test_a_claim_says_all_that_it_rests_on():
    claim = judge("it moves", "paper, section 3", Interval(2.0, 0.5, 4), "photographs", intervals.above(0), ("none", -1))
    assert claim.to_json() == {
        "statement": "it moves", "source": "paper, section 3", "figure": 2.0, "interval": [1.5, 2.5], "n": 4,
        "varies": "4 photographs", "rule": intervals.above(0).text, "verdict": "holds",
        "control": {"what": "none", "figure": "-1.00", "verdict": "fails", "if_fails": False}, "bounds": [0]}
    assert claim.sentence(1) == "It moves: **holds** (2.0 [1.5, 2.5], bound 0, 4 photographs; control, none: -1.00, fails)."
    near = judge("it stays", "paper", Interval(0.0, 0.1, 4), "photographs", intervals.no_difference_beyond(0.25), ("far", 1.0))
    assert near.measured() == "0.00 [-0.10, 0.10], bounds ± 0.25, 4 photographs"
    small = judge("it moves", "paper", Interval(0.012, 0.5, 4), "photographs", intervals.above(0), ("none", -1))
    assert small.amount() == "0.012 [-0.488, 0.512]", "a small figure has a digit more"
    fast = judge("it is quick", "paper", Interval(2.0, 1.0, 4), "photographs", intervals.above(0), ("none", -1))
    assert fast.amount(tenfold=True) == "100 [10, 1000]"
    read = intervals.by_reading("it never samples", "https://example.org/code#L3", "eps is dropped", holds=False)
    assert read.verdict == "fails, by reading" and read.interval is None and read.control is None
    assert read.sentence() == "It never samples: **fails, by reading** (eps is dropped)."


def test_a_plain_sentence_and_a_tally_follow_the_verdicts():
    def moves(interval):
        return judge("it moves", "here", interval, "seeds", intervals.unpaired_beyond(0), ("none", 0.0), ("a mover", 1.0))

    claims = [moves(Interval(mean, 0.5, 4)) for mean in (2.0, 3.0, -2.0, 0.1)]
    said = [claim.plainly("It moves", "It stays", "whether it moves", "steps") for claim in claims[1:]]
    assert said == ["It moves (3.00 [2.50, 3.50] steps).", "It stays (-2.00 [-2.50, -1.50] steps).",
                    "Whether it moves is undecided here (0.10 [-0.40, 0.60] steps; bound 0)."]
    assert [claim.control["if_fails"] for claim in claims] == [False, False, True, False]
    read = [intervals.by_reading("it is written", "https://example.org", "here")] * 2
    assert intervals.tally(claims + read) == "4 hold (2 of them by reading), 1 fails, 1 is undecided"
    assert intervals.counted(read + claims) == {"holds": 4, "fails": 1, "undecided": 1} and intervals.counted([]) == {}
    assert "unpaired" in claims[0].rule


def test_crossed_factors_widen_an_interval_together():
    photos, styles = ["a", "a", "b", "b", "c", "c"], ["x", "y"] * 3
    by_style = [1.0, 3.0, 1.1, 3.1, 0.9, 2.9]
    found = intervals.crossed(by_style, photos, styles)
    assert (found.mean, found.n) == (2.0, 2) and found.half >= Interval.of(by_style, styles).half
    assert intervals.crossed(by_style, photos, ["x"] * 6).half is None, "one style tells nothing of styles"
    assert intervals.crossed([1.0, 1.0, 2.0, 2.0, 4.0, 4.0], photos, styles).half > 0, "no spread over styles is no missing one"


def test_combined_causes_add_their_squares():
    pair = [Interval(1.0, 3.0, 9), Interval(1.0, 4.0, 5)]
    assert intervals.combined(pair) == Interval(1.0, 5.0, 5)
    assert intervals.combined(pair, shared=3.0).half == 4.0 == intervals.combined(pair, shared=9.0).half
    assert intervals.combined([*pair, Interval(1.0, None, 1)]) == Interval(1.0, None, 1)


def test_nineteen_intervals_in_twenty_hold_the_truth_where_photographs_and_styles_both_count():
    rng, photos, styles = np.random.default_rng(0), np.repeat(range(12), 8), np.tile(range(8), 12)
    held = {"crossed": 0, "widest": 0}
    for _ in range(200):
        values = rng.normal(size=12)[photos] + rng.normal(size=8)[styles] + rng.normal(size=96) / 2
        either = [Interval.of(values, labels) for labels in (photos, styles)]
        widest = max(either, key=lambda interval: interval.half)
        for name, found in (("crossed", intervals.crossed(values, photos, styles)), ("widest", widest)):
            held[name] += found.low < 0 < found.high
    assert 0.92 <= held["crossed"] / 200 <= 0.99 and held["widest"] < held["crossed"]


def test_single_runs_are_judged_by_the_spread_of_repeated_arms():
    repeated, rule = [[1.0, 1.2, 1.1], [5.0, 5.2, 5.1]], intervals.difference_beyond(0.5)
    found = intervals.single_runs([3.0], [1.0], repeated)
    assert found.mean == 2 and found.n == 1 and found.half == pytest.approx(2.776 * 0.1 * math.sqrt(2), rel=1e-3)
    assert [rule(intervals.single_runs([value], [1.0], repeated)) for value in (3.0, 1.0, 1.6)] == ["holds", "fails", "undecided"]
    assert intervals.single_runs([3.0, 3.1, 2.9], [1.0], repeated).half < found.half


def test_a_second_difference_between_the_arms_confounds_a_claim():
    claim = judge("it draws better", "a report", Interval(2.0, 0.5, 3), "seeds", intervals.above(0), ("itself", 0.0))
    alike = intervals.confounded(claim, "the teacher's unexplained variance", 0.14, 0.15)
    other = intervals.confounded(claim, "the teacher's unexplained variance", 0.14, 0.51)
    assert alike.verdict == "holds" and other.verdict == "confounded"
    assert "0.140 and 0.510" in other.rule and other.figure == claim.figure and claim.verdict == "holds"


def test_a_claim_falls_with_the_measure_that_it_rests_on():
    claim = judge("it is rounder", "a report", Interval(2.0, 0.5, 3), "pairs", intervals.above(0), ("itself", 0.0))
    sound, unsound = (judge("it tells round from straight", "drawings", value, "", intervals.above(0.2), ("no", other))
                      for value, other in ((0.8, 0.0), (-0.4, 0.9)))
    assert intervals.rests_on(claim, sound).verdict == "holds"
    assert "withdrawn unless this holds: it tells" in intervals.rests_on(claim, sound).rule
    assert intervals.rests_on(claim, unsound).verdict == "withdrawn" and unsound.verdict == "fails"


def test_exchanging_every_other_unit_leaves_no_difference():
    first, second = [3.0, 3.1, 2.9, 3.0], [1.0, 1.0, 1.0, 1.0]
    rule = intervals.difference_beyond(0)
    assert rule(intervals.paired(first, second)) == "holds" and rule(intervals.exchanged(first, second)) == "undecided"
    assert intervals.exchanged(first, second, ["a", "a", "b", "b"]).n == 2


def test_slope_over_runs():
    falling = intervals.slope([0, 1, 2, 3], [3.0, 2.1, 0.9, 0.0])
    assert falling.mean == pytest.approx(-1.02) and intervals.below(0)(falling) == "holds"
    assert intervals.below(0)(intervals.slope([0, 1, 2, 3], [5, 5, 5, 5])) == "fails"
