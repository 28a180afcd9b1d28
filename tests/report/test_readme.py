"""README's tables are the committed figures."""

from common import ROOT

from stvae_lib import arguments
from stvae_lib.report import readme
from stvae_lib.report.yardstick import JUDGES, Yardstick


def test_readme_shows_the_committed_results():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.readme_with_results(text) == text
    assert all(f"<!-- {name} -->" in text for name in readme.PARTS)
    assert (ROOT / "docs" / "opening.webp").exists()


def test_what_readme_says_of_the_default_model_is_what_was_measured():
    measured = Yardstick.committed()
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    claim = "Here `vgg19-slim` looked level with MicroAST in style; on the sixty pairs, by every judge, it is behind in that."
    assert claim in text
    assert list(measured.over_peer("vgg19-slim").values())[0] < 1.1
    assert all(measured.ahead("vgg19-slim", "microast", judge, "style").high < 0 for judge in JUDGES)


def test_readme_speaks_of_the_model_that_stylises_by_default():
    assert readme.DEFAULT == arguments.MODEL and "default, `vgg16-half`" in (ROOT / "README.md").read_text(encoding="utf-8")
