from stvae_lib.analysis.readings import ARMS, QUESTIONS
from stvae_lib.analysis.substitution import MARGINS


def test_every_question_is_put_once_about_arms_that_there_are():
    assert len({question.statement for question in QUESTIONS}) == len(QUESTIONS) == 12
    for question in QUESTIONS:
        controls = [question.control, question.control_if_fails]
        assert {question.first, question.second, *(arm for _, *pair in controls for arm in pair)} <= ARMS.keys()
        assert f"{MARGINS[question.measure]:g}" in question.rule.text


def test_a_reading_is_named_by_the_statement_that_it_is_to_lose():
    for question in QUESTIONS:
        for arm in (question.first, question.second.removesuffix("-random")):
            assert f"`{arm}`" in question.statement
