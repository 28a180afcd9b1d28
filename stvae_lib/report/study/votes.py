"""Files of votes: what is accepted, which raters count, and the one file that analysis reads.

A vote file is what a page hands out, JSON of one rater; a server's (.jsonl) holds one such text a line, mostly of one vote. A
page keeps no secret, so whoever forges a whole file with care is stopped by the attention checks alone.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ...errors import InputError
from ...evaluation.preference import FIRST, SECOND, TIE, Vote
from ...files import check_readable, write_text
from .design import BETWEEN, Key, Study

FORMAT, MERGED_FORMAT = "stvae-votes-1", "stvae-merged-votes-1"
CHOICES = ("left", "right", "tie")
BALLOT = {"format", "study", "rater", "plan", "simulated", "votes"}
ANSWER = {"step", "trial", "swapped", "choice", "seconds"}
MOST_FAILED = 1            # attention checks
MOST_CONTRADICTED = 0.75   # share of repeated pairs: chance alone contradicts itself in half of them
LEAST_SECONDS = 1.0        # median
MOST_SECONDS = 1e7         # four months: a page left open
LEAST_FINISHED = 0.5       # share of steps
RULES = {"unfinished": f"fewer than {LEAST_FINISHED:.0%} of the steps",
         "inattentive": f"more than {MOST_FAILED} attention check not answered by the painting",
         "inconsistent": f"the other result in more than {MOST_CONTRADICTED:.0%} of the repeated pairs",
         "too fast": f"a median time below {LEAST_SECONDS:g} s"}
NAMES = {FIRST: "first", SECOND: "second", TIE: "tie"}


class Refused(Exception):
    """Votes that cannot be of this study, and why."""


@dataclass
class Ballot:
    """What one rater said. answers: by step, as in the file."""

    rater: str
    plan: int
    simulated: bool
    answers: dict[int, dict]

    def take(self, other: "Ballot") -> list[dict]:
        """Add a further part of the same rater's; returns what is new. Refused where it contradicts what is there."""
        if (other.rater, other.plan, other.simulated) != (self.rater, self.plan, self.simulated):
            raise Refused(f"rater {self.rater[:8]} has two plans")
        if any(self.answers.get(step, answer) != answer for step, answer in other.answers.items()):
            raise Refused(f"rater {self.rater[:8]} answers one step in two ways")
        new = [answer for step, answer in other.answers.items() if step not in self.answers]
        self.answers |= other.answers
        return new


def checked(found, study: Study) -> Ballot:
    """A ballot from parsed JSON; Refused where the page of this study could not have written it."""
    if not isinstance(found, dict) or found.get("format") != FORMAT or set(found) != BALLOT:
        raise Refused("is no file of votes")
    if found["study"] != study.study:
        raise Refused("is of another study")
    rater, plan = found["rater"], found["plan"]
    if not isinstance(rater, str) or len(rater) != 32 or set(rater) - set("0123456789abcdef"):
        raise Refused("names a rater as no page does")
    if type(plan) is not int or not 0 <= plan < len(study.plans) or type(found["simulated"]) is not bool:
        raise Refused("has a plan that the study has not")
    if not isinstance(found["votes"], list) or not found["votes"]:
        raise Refused("holds no votes")
    answers = {}
    for answer in found["votes"]:
        _check_answer(answer, study.plans[plan])
        if answer["step"] in answers:
            raise Refused(f"answers step {answer['step']} twice")
        answers[answer["step"]] = answer
    return Ballot(rater, plan, found["simulated"], answers)


def _check_answer(answer, plan: list[list[int]]) -> None:
    if not isinstance(answer, dict) or set(answer) != ANSWER:
        raise Refused("holds something that is no vote")
    step, seconds = answer["step"], answer["seconds"]
    if type(step) is not int or not 0 <= step < len(plan):
        raise Refused(f"answers a step {step!r} that is not in its plan")
    if json.dumps([answer["trial"], answer["swapped"]]) != json.dumps(plan[step]):  # as text: 1.0 and true equal 1
        raise Refused(f"answers a pair in step {step} that was not shown there")
    if answer["choice"] not in CHOICES:
        raise Refused(f"has an unknown choice in step {step}")
    if type(seconds) not in (int, float) or not 0 <= seconds <= MOST_SECONDS:
        raise Refused(f"has an impossible time in step {step}")


def parsed(text: str):
    """JSON of a file or of a request; Refused where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("is not whole JSON") from None


def read_ballots(file, study: Study) -> list[Ballot]:
    """Ballots of one file, .json or a server's .jsonl; its last line counts only where it is whole, since a vote that was cut
    off was never acknowledged. Raises InputError on a file that is not all of this study's votes."""
    file = Path(file)
    check_readable(file)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(file, f"cannot be read ({error.strerror})", "check the path") from None
    except UnicodeDecodeError:
        raise InputError(file, "is not text", "give a file of votes") from None
    parts = text.split("\n")[:-1] if file.suffix == ".jsonl" else [text]
    ballots: dict[str, Ballot] = {}
    try:
        for part in parts:
            ballot = checked(parsed(part), study)
            if ballot.rater not in ballots:
                ballots[ballot.rater] = ballot
            elif len(ballots[ballot.rater].take(ballot)) < len(ballot.answers):
                raise Refused(f"holds a vote of rater {ballot.rater[:8]} twice")
        for ballot in ballots.values():
            if max(ballot.answers) >= len(ballot.answers):
                raise Refused(f"lacks a vote of rater {ballot.rater[:8]} before the last")
    except Refused as reason:
        raise InputError(file, str(reason), "leave it out, or give the key of its study") from None
    return list(ballots.values())


def read_all(files: Iterable, study: Study) -> list[Ballot]:
    """Ballots of several files; InputError where a rater is in two of them, or simulated raters are among real ones."""
    ballots, source = [], {}
    for file in files:
        for ballot in read_ballots(file, study):
            if ballot.rater in source:
                raise InputError(file, f"holds rater {ballot.rater[:8]}, as does {source[ballot.rater]}", "give one of the two")
            source[ballot.rater] = file
            ballots.append(ballot)
        if len({ballot.simulated for ballot in ballots}) > 1:
            raise InputError(file, "would mix simulated and real raters", "read them apart")
    return ballots


def broken_rule(ballot: Ballot, key: Key) -> str | None:
    """The first of `RULES` by which a rater does not count, None for one who does."""
    answers, plan = ballot.answers, key.plans[ballot.plan]
    if len(answers) < LEAST_FINISHED * len(plan):
        return "unfinished"
    checks = [_winner(answer) for answer in answers.values() if key.trials[answer["trial"]].is_check]
    if sum(winner != SECOND for winner in checks) > MOST_FAILED:
        return "inattentive"
    by_trial: dict[int, list[int]] = {}
    for answer in answers.values():
        by_trial.setdefault(answer["trial"], []).append(_winner(answer))
    repeats = [said for said in by_trial.values() if len(said) == 2]
    if repeats and sum(first * again == -1 for first, again in repeats) > MOST_CONTRADICTED * len(repeats):
        return "inconsistent"
    return "too fast" if median(answer["seconds"] for answer in answers.values()) < LEAST_SECONDS else None


def _winner(answer: dict) -> int:
    """FIRST, SECOND or TIE, whichever side they were on."""
    if answer["choice"] == "tie":
        return TIE
    return FIRST if (answer["choice"] == "left") == (answer["swapped"] == 0) else SECOND


def merge(ballots: list[Ballot], key: Key) -> dict:
    """Votes of the raters that count, with methods by name, and how many raters were dropped by which rule. Attention checks
    and repeats have done their work and are left out."""
    broken = {ballot.rater: broken_rule(ballot, key) for ballot in ballots}
    kept = [ballot for ballot in ballots if broken[ballot.rater] is None]
    dropped = Counter(rule for rule in broken.values() if rule)
    return {"format": MERGED_FORMAT, "study": key.study, "question": key.question,
            "simulated": any(ballot.simulated for ballot in ballots),
            "raters": {"given": len(ballots), "kept": len(kept),
                       "dropped": {rule: {"raters": dropped[rule], "rule": text} for rule, text in RULES.items()}},
            "votes": [vote for ballot in kept for vote in _votes(ballot, key)]}


def _votes(ballot: Ballot, key: Key) -> list[dict]:
    votes = {}
    for _, answer in sorted(ballot.answers.items()):
        trial = key.trials[answer["trial"]]
        if not trial.is_check and answer["trial"] not in votes:
            votes[answer["trial"]] = {"rater": ballot.rater, "content": trial.content, "style": trial.style,
                                      "first": trial.methods[0], "second": trial.methods[1],
                                      "choice": NAMES[_winner(answer)], "seconds": answer["seconds"]}
    return list(votes.values())


def write_merged(merged: dict, file) -> None:
    """A merged file, whole or not at all."""
    write_text(file, json.dumps(merged, indent=1) + "\n")


def read_merged(file) -> dict:
    """What `stvae study read` wrote; InputError where it is nothing of the kind."""
    try:
        merged = json.loads(Path(file).read_text(encoding="utf-8"))
        votes_of(merged)
        if merged["format"] != MERGED_FORMAT or type(merged["simulated"]) is not bool:
            raise KeyError("format")
    except OSError as error:
        raise InputError(file, f"cannot be read ({error.strerror})", "check the path") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(file, "is no file of merged votes", "make it by `stvae study read`") from None
    return merged


def collected(folder) -> dict | None:
    """What people voted: the file of merged votes in a folder, or None where there is none. InputError on two files, and on
    simulated votes, which are nobody's."""
    files = sorted(Path(folder).glob("*.json"))
    if len(files) > 1:
        raise InputError(folder, f"holds {len(files)} files of votes", "merge them into one by `stvae study read`")
    if not files:
        return None
    merged = read_merged(files[0])
    if merged["simulated"]:
        raise InputError(files[0], "holds simulated votes", "take it out of the folder of people's votes")
    return merged


def votes_of(merged: dict) -> list[Vote]:
    """Merged votes for `stvae_lib.evaluation.preference`."""
    numbers = {name: choice for choice, name in NAMES.items()}
    return [Vote(vote["rater"], vote["content"] + BETWEEN + vote["style"], vote["first"], vote["second"], numbers[vote["choice"]])
            for vote in merged["votes"]]
