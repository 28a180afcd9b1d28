from stvae_lib.evaluation.preference import agreement, bradley_terry
from stvae_lib.report.study import votes
from stvae_lib.report.study.simulate import simulated_ballots


def found(key, *arguments, **options):
    documents = simulated_ballots(key, *arguments, **options)
    assert all(document["simulated"] is True for document in documents)
    merged = votes.merge([votes.checked(document, key) for document in documents], key)
    return merged, votes.votes_of(merged)


def test_the_ranking_comes_back_and_careless_raters_are_dropped(key):
    truth = {"wct": 1.5, "adain": 0.0, "vgg19-slim": -1.5}
    merged, kept = found(key, truth, raters=12, careless=4)
    assert merged["raters"]["dropped"]["inattentive"]["raters"] == 4 and merged["raters"]["kept"] == 12
    strengths = bradley_terry(kept)
    assert strengths.ranking() == ["wct", "adain", "vgg19-slim"]
    assert strengths.difference("wct", "vgg19-slim").low > 0


def test_raters_agree_as_much_as_they_were_made_to(key):
    equal = dict.fromkeys(("wct", "adain", "vgg19-slim"), 0.0)
    _, alike = found(key, equal, raters=12, spread=8.0, ties=0.02)
    _, chance = found(key, equal, raters=12)
    assert agreement(alike).mean > 0.6 > 0.2 > abs(agreement(chance).mean)


def test_a_seed_gives_its_own_raters(key):
    strengths = {"wct": 1.0, "adain": 0.0, "vgg19-slim": 0.0}
    assert simulated_ballots(key, strengths, 2, seed=1) == simulated_ballots(key, strengths, 2, seed=1)
    assert simulated_ballots(key, strengths, 1, seed=1)[0]["rater"] != simulated_ballots(key, strengths, 1, seed=2)[0]["rater"]
