from stvae_lib.analysis.students import ARMS, QUESTIONS, at_one_fit
from stvae_lib.analysis.substitution import MARGINS
from stvae_lib.evaluation.intervals import CONFOUNDED, HOLDS, above, judge


def test_every_question_is_put_once_about_arms_that_there_are():
    assert len({question.statement for question in QUESTIONS}) == len(QUESTIONS) == 14
    for question in QUESTIONS:
        controls = [question.control, question.control_if_fails]
        assert {question.first, question.second, *(arm for _, *pair in controls for arm in pair)} <= ARMS.keys()
        margin = MARGINS[question.measure]
        assert f"{margin:g}" in question.rule.text
        assert (f"{margin:.0%}" if question.measure == "style" else f"{margin:g} ") in question.statement


def test_pupils_fit_alike_within_a_tenth_of_the_larger():
    claim = judge("one is ahead", "a test", 1.0, "", above(0.0), ("nothing", -1.0))
    verdicts = [at_one_fit(claim, *pair).verdict for pair in ((0.4, 0.37), (0.37, 0.4), (0.4, 0.35), (0.35, 0.4))]
    assert verdicts == [HOLDS, HOLDS, CONFOUNDED, CONFOUNDED]
