import itertools
import math

import numpy as np
import pytest

from stvae_lib.errors import InputError
from stvae_lib.evaluation import preference
from stvae_lib.evaluation.intervals import Interval
from stvae_lib.evaluation.preference import FIRST, SECOND, TIE, Vote


def simulated(strengths: dict, raters=12, pictures=10, ties=0.1, spread=0.0, seed=0) -> list[Vote]:
    """Every rater on every pair of methods on every picture; which method stands first is drawn for every picture."""
    rng = np.random.default_rng(seed)
    own = {(picture, name): strengths[name] + spread * rng.standard_normal()
           for picture in range(pictures) for name in strengths}
    votes = []
    for picture, pair in itertools.product(range(pictures), itertools.combinations(strengths, 2)):
        first, second = rng.permutation(pair).tolist()
        gap = own[picture, first] - own[picture, second]
        votes += [Vote(f"r{rater}", f"p{picture}", first, second, int(choice))
                  for rater, choice in enumerate(preference.drawn_choices(np.full(raters, gap), ties, rng))]
    return votes


def test_a_known_ranking_and_its_distances_come_back():
    truth = {"good": 1.0, "middle": 0.0, "bad": -1.0}
    found = preference.bradley_terry(simulated(truth, raters=20, pictures=12, ties=0.0))
    assert found.ranking() == ["good", "middle", "bad"] and found.values.sum() == pytest.approx(0)
    for name, strength in truth.items():
        assert found.interval(name).mean == pytest.approx(strength, abs=0.2)
        assert found.interval(name).low < strength < found.interval(name).high
    gap = found.difference("good", "bad")
    assert gap.low > 0 and gap.mean == pytest.approx(-found.difference("bad", "good").mean)
    assert gap.mean == pytest.approx(found.interval("good").mean - found.interval("bad").mean)


def test_two_methods_have_the_odds_of_their_wins_whatever_is_tied():
    votes = [Vote("a", "p", "x", "y", FIRST)] * 29 + [Vote("a", "p", "y", "x", FIRST)] * 9
    decided = preference.bradley_terry(votes)
    assert decided.difference("x", "y").mean == pytest.approx(math.log(29.5 / 9.5), abs=1e-4) and decided.ties < 1e-3
    tied = preference.bradley_terry(votes + [Vote("a", "p", *pair, TIE) for pair in ("xy", "yx") * 5])
    assert tied.difference("x", "y").mean == pytest.approx(math.log(29.5 / 9.5), abs=1e-4)
    nu = 10 / math.sqrt(29.5 * 9.5)
    assert tied.ties == pytest.approx(nu / (2 + nu), abs=1e-4)


PUDDINGS = """57 19 22 16  47 16 19 12  54 18 23 13  50 13 19 18  51 18 21 12  48 19 19 10  51 23 19 9  48 16 20 12  54 22 20 12
              54 19 20 15  48 16 15 17  41 13 18 10  47 17 14 16  51 14 19 18  44 11 21 12"""


def test_the_puddings_of_davidson_have_the_strengths_that_he_found(monkeypatch):
    """JASA 65 (1970), example 2: for every pair of six brands the tasters, those for the first, for the second, for neither."""
    numbers, votes = iter(map(int, PUDDINGS.split())), []
    for pair in itertools.combinations("123456", 2):
        tasters, *counts = (next(numbers) for _ in range(4))
        assert tasters == sum(counts)
        votes += [Vote("r", "p", *pair, choice) for choice, count in zip((FIRST, SECOND, TIE), counts) for _ in range(count)]
    monkeypatch.setattr(preference, "PRIOR", 0)
    monkeypatch.setattr(preference, "DRAWS", 1)
    found = preference.bradley_terry(votes)
    worth = np.exp(found.values)
    assert worth / worth.sum() == pytest.approx([0.1388, 0.1730, 0.1617, 0.1654, 0.1587, 0.2024], abs=1e-4)
    assert 2 * found.ties / (1 - found.ties) == pytest.approx(0.7468, abs=1e-4)


@pytest.mark.parametrize("ties", [0.0, 0.15, 0.5])
def test_ties_neither_draw_strengths_together_nor_apart(ties):
    truth = {"good": 1.0, "middle": 0.0, "bad": -1.0}
    found = preference.bradley_terry(simulated(truth, raters=40, pictures=20, ties=ties))
    assert found.ties == pytest.approx(ties, abs=0.02)
    assert found.difference("good", "bad").mean == pytest.approx(2.0, abs=0.15)


def test_votes_that_are_all_ties_say_that_methods_are_equal():
    found = preference.bradley_terry([Vote(rater, "p", "a", "b", TIE) for rater in "xyz"])
    assert found.values == pytest.approx([0, 0], abs=1e-6) and 0.5 < found.ties < 1


def test_equal_methods_are_not_told_apart_and_one_that_never_lost_stays_finite():
    gap = preference.bradley_terry(simulated({"a": 0.0, "b": 0.0})).difference("a", "b")
    assert gap.low < 0 < gap.high
    always = preference.bradley_terry([Vote(rater, "p", "a", "b", FIRST) for rater in "xyz"])
    assert 0 < always.difference("a", "b").mean < 5


def test_one_rater_tells_nothing_of_raters_and_no_vote_nothing():
    votes = [vote for vote in simulated({"a": 1.0, "b": 0.0}) if vote.rater == "r0"]
    assert preference.bradley_terry(votes).interval("a").half is None
    with pytest.raises(InputError, match="none is left"):
        preference.bradley_terry([])


def test_votes_of_one_rater_are_no_independent_votes():
    """The same votes, by as many raters as votes and by four: fewer raters, a wider interval."""
    votes = simulated({"a": 0.5, "b": 0.0}, raters=40)
    few = [Vote("left" if vote.choice == FIRST else f"s{index % 3}", vote.picture, vote.first, vote.second, vote.choice)
           for index, vote in enumerate(votes)]
    assert preference.bradley_terry(few).interval("a").half > 2 * preference.bradley_terry(votes).interval("a").half


def test_tallies_count_every_vote_on_both_sides():
    votes = [Vote("r", "p", "a", "b", FIRST), Vote("r", "q", "a", "b", SECOND), Vote("r", "s", "b", "a", TIE)]
    assert preference.tallies(votes) == {name: {"votes": 3, "won": 1, "tied": 1, "lost": 1} for name in "ab"}


def test_alpha_is_high_where_raters_agree_and_none_where_they_toss_coins():
    alike, chance = simulated({"a": 0.0, "b": 0.0}, spread=6.0, ties=0.02), simulated({"a": 0.0, "b": 0.0})
    assert preference.agreement(alike).mean > 0.6
    alpha = preference.agreement(chance)
    assert abs(alpha.mean) < 0.1 and alpha.low < 0 < alpha.high


def test_alpha_of_small_cases_by_hand():
    agree = [Vote(rater, picture, "a", "b", FIRST) for rater in "xy" for picture in "pq"]
    assert preference.agreement(agree).mean == 1
    turned = [Vote(vote.rater, vote.picture, "b", "a", SECOND) if vote.rater == "x" else vote for vote in agree]
    assert preference.agreement(turned).mean == 1, "the same opinion, with the methods the other way round"
    # Two pictures, on each one vote for either: 4 values of each kind in both orders, Do = 1, De = 2 · 4 · 4 / (8 · 7)
    split = [Vote(rater, picture, "a", "b", choice) for picture in "pq" for rater, choice in (("x", FIRST), ("y", SECOND))]
    assert preference.agreement(split).mean == pytest.approx(1 - 1 / (32 / 56))
    assert preference.agreement(agree[:1]) is None, "one rater agrees with nobody"
    assert preference.agreement([Vote(rater, "p", "a", "b", TIE) for rater in "xy"]) is None


def test_a_metric_that_votes_follow_agrees_and_its_opposite_does_not():
    votes = simulated({"a": 2.0, "b": 0.0, "c": -2.0})
    scores = {(vote.picture, name): {"a": 3.0, "b": 2.0, "c": 1.0}[name] for vote in votes for name in "abc"}
    agreeing = preference.metric_agreement(votes, scores, higher_is_better=True)
    opposite = preference.metric_agreement(votes, scores, higher_is_better=False)
    level = preference.metric_agreement(votes, dict.fromkeys(scores, 1.0), higher_is_better=True)
    assert agreeing.low > 0.8 and opposite.high < 0.2 and agreeing.mean + opposite.mean == pytest.approx(1)
    assert level.mean == 0.5 and agreeing.n <= 12
    with pytest.raises(InputError, match="has no score"):
        preference.metric_agreement(votes, {}, higher_is_better=True)
    with pytest.raises(InputError, match="none can be compared"):
        preference.metric_agreement([Vote("r", "p0", "a", "b", TIE)], scores, higher_is_better=True)


def test_a_metric_is_asked_picture_by_picture():
    """Right on average and wrong on the one picture that was voted on."""
    scores = {("p", "a"): 0.0, ("p", "b"): 1.0, ("q", "a"): 9.0, ("q", "b"): 0.0}
    assert preference.metric_agreement([Vote("r", "p", "a", "b", FIRST)], scores, higher_is_better=True).mean == 0


def test_the_majority_of_the_others_is_the_ceiling():
    agree = simulated({"a": 0.0, "b": 0.0}, spread=8.0, ties=0.02)
    assert preference.majority_agreement(agree).mean > 0.85
    assert preference.majority_agreement(simulated({"a": 0.0, "b": 0.0}, pictures=80)).mean == pytest.approx(0.5, abs=0.1)
    three = [Vote("x", "p", "a", "b", FIRST), Vote("y", "p", "b", "a", SECOND), Vote("z", "p", "a", "b", SECOND)]
    # x: the others are split, half; y likewise; z: both others are against, nothing
    assert preference.majority_agreement(three).mean == pytest.approx(1 / 3)
    with pytest.raises(InputError):
        preference.majority_agreement(three[:1])


def test_drawn_choices_have_the_chances_they_are_said_to_have():
    rng = np.random.default_rng(0)
    equal, apart = (preference.drawn_choices(np.full(20_000, gap), 0.2, rng) for gap in (0.0, 1.0))
    assert (equal == TIE).mean() == pytest.approx(0.2, abs=0.01) and equal.mean() == pytest.approx(0, abs=0.02)
    won, lost = (apart == FIRST).mean(), (apart == SECOND).mean()
    assert won / lost == pytest.approx(math.e, rel=0.1) and (apart == TIE).mean() < 0.2


def test_power_grows_with_votes_and_equal_methods_are_seldom_told_apart():
    curve = preference.power_curve(1.0, [4, 16], per_rater=6, pictures=20, simulations=40)
    assert list(curve) == [24, 96] and curve[96].mean > 0.6 > curve[24].mean
    assert preference.power_curve(0.0, [16], per_rater=6, pictures=20, simulations=40)[96].mean < 0.15
    with pytest.raises(InputError, match="do not fit"):
        preference.power_curve(1.0, [4], per_rater=30, pictures=20)


def test_votes_needed_is_where_the_power_stays():
    curve = {votes: Interval.exact(power) for votes, power in ((10, 0.85), (20, 0.7), (40, 0.82), (80, 0.99))}
    assert preference.votes_needed(curve) == 40
    assert preference.votes_needed({10: Interval.exact(0.3)}) is None
