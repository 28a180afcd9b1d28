from stvae_lib.analysis.students import ARMS, QUESTIONS
from stvae_lib.analysis.substitution import MARGINS


def test_every_question_is_put_once_about_arms_that_there_are():
    assert len({question.statement for question in QUESTIONS}) == len(QUESTIONS) == 14
    for question in QUESTIONS:
        controls = [question.control, question.control_if_fails]
        assert {question.first, question.second, *(arm for _, *pair in controls for arm in pair)} <= ARMS.keys()
        margin = MARGINS[question.measure]
        assert f"{margin:g}" in question.rule.text
        assert (f"{margin:.0%}" if question.measure == "style" else f"{margin:g} ") in question.statement
