"""README's tables are the committed figures."""

from common import ROOT

from stvae_lib.report import readme


def test_readme_shows_the_committed_results():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.readme_with_results(text) == text
    assert all(f"<!-- {name} -->" in text for name in readme.PARTS)
    assert (ROOT / "docs" / "opening.jpg").exists()
