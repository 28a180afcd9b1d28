import copy
import json
import math
import re

import pytest

from stvae_lib.errors import InputError
from stvae_lib.report.study import votes
from stvae_lib.report.study.design import Study, Trial
from stvae_lib.report.study.simulate import simulated_ballots
from stvae_lib.report.study.summary import summary

STRENGTHS = {"vgg19-slim": 2.0, "wct": 0.0, "adain": -2.0}


@pytest.fixture
def ballots(key):
    return simulated_ballots(key, STRENGTHS, raters=6)


@pytest.fixture
def write(tmp_path):
    def write(*documents, name="votes.json"):
        file = tmp_path / name
        file.write_text("".join(json.dumps(document) + "\n" for document in documents))
        return file

    return write


def test_a_file_is_read_back_as_it_was(ballots, key, write):
    one, = votes.read_ballots(write(ballots[0]), key)
    assert list(one.answers.values()) == ballots[0]["votes"]
    assert (one.rater, one.plan, one.simulated) == (ballots[0]["rater"], ballots[0]["plan"], True)
    both = votes.read_all([write(ballots[0], name="a.json"), write(*ballots[1:], name="b.jsonl")], key)
    assert [ballot.rater for ballot in both] == [ballot["rater"] for ballot in ballots]


def forged(ballot, **changes):
    """The ballot with an entry changed, or with `vote_NAME` one of its seventh vote."""
    made = copy.deepcopy(ballot)
    for name, value in changes.items():
        if name.startswith("vote_"):
            made["votes"][6][name.removeprefix("vote_")] = value
        else:
            made[name] = value
    return made


@pytest.mark.parametrize("changes, said", [
    ({"study": "0" * 64}, "another study"), ({"format": "stvae-votes-0"}, "is no file of votes"), ({"extra": 1}, "is no file"),
    ({"rater": "Ada"}, "names a rater"), ({"rater": 5}, "names a rater"), ({"plan": 60}, "a plan"), ({"plan": True}, "a plan"),
    ({"plan": -1}, "a plan"), ({"simulated": "no"}, "a plan"), ({"votes": []}, "no votes"), ({"votes": {"a": 1}}, "no votes"),
    ({"votes": [3]}, "no vote"), ({"vote_extra": 1}, "no vote"), ({"vote_step": 99}, "not in its plan"),
    ({"vote_step": -1}, "not in its plan"), ({"vote_step": "6"}, "not in its plan"), ({"vote_step": True}, "not in its plan"),
    ({"vote_trial": 9999}, "was not shown"), ({"vote_trial": None}, "was not shown"), ({"vote_swapped": 2}, "was not shown"),
    ({"vote_swapped": False}, "was not shown"), ({"vote_step": 5}, "was not shown"), ({"vote_choice": "up"}, "unknown choice"),
    ({"vote_choice": ["left"]}, "unknown choice"), ({"vote_seconds": -1}, "impossible time"),
    ({"vote_seconds": "1"}, "impossible time"), ({"vote_seconds": math.nan}, "impossible time"),
    ({"vote_seconds": math.inf}, "impossible time"), ({"vote_seconds": 10 ** 400}, "impossible time")])
def test_a_forged_file_is_refused_in_one_line(ballots, key, write, changes, said):
    with pytest.raises(InputError, match=said) as error:
        votes.read_ballots(write(forged(ballots[0], **changes)), key)
    assert "\n" not in str(error.value)


def test_votes_that_were_taken_out_or_added_twice_are_seen(ballots, key, write):
    lacking, twice = copy.deepcopy(ballots[0]), copy.deepcopy(ballots[0])
    del lacking["votes"][3]
    twice["votes"].append(twice["votes"][3])
    for made, said in ((lacking, "lacks a vote"), (twice, "answers step 3 twice")):
        with pytest.raises(InputError, match=said):
            votes.read_ballots(write(made), key)
    with pytest.raises(InputError, match="twice"):
        votes.read_ballots(write(ballots[0], ballots[0], name="votes.jsonl"), key)
    other = forged(ballots[0], plan=(ballots[0]["plan"] + 1) % 60)
    other["votes"] = [answer | {"trial": trial, "swapped": swapped}
                      for answer, (trial, swapped) in zip(other["votes"], key.plans[other["plan"]])]
    with pytest.raises(InputError, match="two plans"):
        votes.read_ballots(write(ballots[0], other, name="votes.jsonl"), key)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"3", b"\xff\xfe", b"[" * 100_000, b'"text"'])
def test_a_broken_file_is_refused_in_one_line(key, tmp_path, data):
    (tmp_path / "votes.json").write_bytes(data)
    with pytest.raises(InputError):
        votes.read_ballots(tmp_path / "votes.json", key)


def test_a_cut_file_is_refused_but_a_cut_last_line_of_a_server_is_not(ballots, key, write, tmp_path):
    file = write(*ballots[:2], name="votes.jsonl")
    file.write_text(file.read_text() + json.dumps(ballots[2])[:50])
    assert len(votes.read_ballots(file, key)) == 2
    (tmp_path / "cut.json").write_text(json.dumps(ballots[0])[:-20])
    with pytest.raises(InputError, match="is not whole JSON"):
        votes.read_ballots(tmp_path / "cut.json", key)
    with pytest.raises(InputError, match="no such file"):
        votes.read_ballots(tmp_path / "missing.json", key)


def test_a_rater_in_two_files_and_simulated_among_real_are_refused(ballots, key, write):
    real = forged(ballots[1], simulated=False)
    with pytest.raises(InputError, match="as does"):
        votes.read_all([write(ballots[0], name="a.json"), write(ballots[0], name="b.json")], key)
    with pytest.raises(InputError, match="mix simulated and real"):
        votes.read_all([write(ballots[0], name="a.json"), write(real, name="b.json")], key)


def rule(document, key) -> str | None:
    return votes.broken_rule(votes.checked(document, key), key)


def test_every_rule_drops_whom_it_names_and_keeps_the_rest(ballots, key):
    good = ballots[0]
    assert rule(good, key) is None
    assert rule(good | {"votes": good["votes"][:11]}, key) is None
    assert rule(good | {"votes": good["votes"][:10]}, key) == "unfinished"
    for choice in votes.CHOICES:
        lazy = good | {"votes": [answer | {"choice": choice} for answer in good["votes"]]}
        assert rule(lazy, key) == "inattentive"
    hasty = good | {"votes": [answer | {"seconds": 0.4} for answer in good["votes"]]}
    assert rule(hasty, key) == "too fast"


def always_left_but_in_checks(document, key, exceptions: int):
    """Repeats come with sides swapped, so that left twice is a contradiction; `exceptions` repeated pairs are consistent."""
    seen, answers = {}, []
    for answer in document["votes"]:
        number = answer["trial"]
        if not key.trials[number].is_check:
            answer = answer | {"choice": "left"}
            if number in seen and exceptions:
                answer["choice"], exceptions = "right", exceptions - 1
            seen[number] = answer
        answers.append(answer)
    return document | {"votes": answers}


def test_who_contradicts_oneself_in_nearly_all_repeats_is_dropped(ballots, key):
    assert rule(always_left_but_in_checks(ballots[0], key, 0), key) == "inconsistent"
    assert rule(always_left_but_in_checks(ballots[0], key, 1), key) == "inconsistent"
    assert rule(always_left_but_in_checks(ballots[0], key, 2), key) is None, "four of six are what chance does"


def test_one_failed_check_is_forgiven(ballots, key):
    answers = copy.deepcopy(ballots[0]["votes"])
    turned = {"left": "right", "right": "left"}
    checks = [answer for answer in answers if key.trials[answer["trial"]].is_check]
    checks[0]["choice"] = turned[checks[0]["choice"]]
    assert rule(ballots[0] | {"votes": answers}, key) is None
    checks[1]["choice"] = turned[checks[1]["choice"]]
    assert rule(ballots[0] | {"votes": answers}, key) == "inattentive"


def merged_of(documents, key) -> dict:
    return votes.merge([votes.checked(document, key) for document in documents], key)


def test_merged_votes_name_methods_and_leave_out_checks_and_repeats(ballots, key):
    merged = merged_of(ballots[:1], key)
    assert len(merged["votes"]) == 12 and merged["simulated"] and merged["study"] == key.study
    by_pair = {}
    for answer in ballots[0]["votes"]:
        by_pair.setdefault(answer["trial"], answer)
    for vote in merged["votes"]:
        answer = by_pair[key.trials.index(Trial(vote["content"], vote["style"], (vote["first"], vote["second"])))]
        on_left = vote["second"] if answer["swapped"] else vote["first"]
        chosen = {"first": vote["first"], "second": vote["second"], "tie": None}[vote["choice"]]
        assert (answer["choice"] == "left") == (chosen == on_left) and (answer["choice"] == "tie") == (chosen is None)


def test_merged_votes_are_read_back_and_nothing_else_is(ballots, key, tmp_path):
    file, merged = tmp_path / "merged.json", merged_of(ballots, key)
    votes.write_merged(merged, file)
    assert votes.read_merged(file) == merged and len(votes.votes_of(merged)) == 6 * 12
    for text in ("", "[]", "{}", json.dumps(ballots[0]), json.dumps(merged | {"simulated": None}),
                 json.dumps(merged | {"votes": [{"rater": "x"}]})):
        file.write_text(text)
        with pytest.raises(InputError, match="is no file of merged votes"):
            votes.read_merged(file)
    with pytest.raises(InputError, match="cannot be read"):
        votes.read_merged(tmp_path / "missing.json")


def test_the_summary_says_that_raters_are_simulated_and_whom_it_dropped(key):
    merged = merged_of(simulated_ballots(key, STRENGTHS, raters=8, careless=3), key)
    lines = summary(merged).splitlines()
    assert lines[0].startswith("SIMULATED") and lines[1] == "11 raters, 8 kept, 96 votes"
    assert "  dropped as inattentive: 3 (more than 1 attention check not answered by the painting)" in lines
    assert [line.split()[0] for line in lines[-5:-2]] == ["vgg19-slim", "wct", "adain"]
    assert re.fullmatch(r'Of two equal results \d+% of the votes would say "cannot tell"', lines[-2])
    assert lines[-1].startswith("Krippendorff's alpha: 0.")
    real = summary(merged | {"simulated": False})
    assert "SIMULATED" not in real and real.splitlines()[0] == lines[1]


def test_a_study_whose_raters_were_all_dropped_has_no_table(key):
    text = summary(merged_of(simulated_ballots(key, STRENGTHS, raters=0, careless=2), key))
    assert "2 raters, 0 kept" in text and text.endswith("No votes are left to compare.")


def test_the_page_is_enough_to_check_votes(ballots, key):
    assert votes.checked(ballots[0], Study(key.study, key.plans)).answers == votes.checked(ballots[0], key).answers


def test_votes_of_people_are_found_in_their_folder_and_simulated_ones_are_refused(ballots, key, tmp_path):
    folder = tmp_path / "study"
    assert votes.collected(folder) is None
    folder.mkdir()
    merged = merged_of(ballots, key)
    votes.write_merged(merged, folder / "votes.json")
    with pytest.raises(InputError, match="votes.json: holds simulated votes"):
        votes.collected(folder)
    votes.write_merged(merged | {"simulated": False}, folder / "votes.json")
    assert votes.collected(folder)["votes"] == merged["votes"]
    votes.write_merged(merged | {"simulated": False}, folder / "more.json")
    with pytest.raises(InputError, match="holds 2 files of votes; merge them"):
        votes.collected(folder)
