import json

import nbformat
import pytest
from common import ROOT

from stvae_lib import InputError
from stvae_lib.report import execute

GOOD = "out_dir: str = \"\"  # folder\nseed: int = 0  # seed"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Two tiny notebooks in place of the project's; the second fails when `seed` is 1."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    body = ("from stvae_lib.pictures import styles\n"
            "from stvae_lib.report import figures\n"
            "from stvae_lib.report.book import Book\n"
            "book = Book('NAME', {'out_dir': out_dir, 'seed': seed, 'device': 'cpu'})\n"
            "book.figure(figures.grid([[styles.generate('mosaic', 32)]]), 'tile', 'A tile.', 'Small coloured tiles in rows.')\n"
            "book.add(seed=seed)\n")
    fail = "if seed == 1:\n    raise ValueError('seed is one')\n"
    for name, extra in (("00_report", ""), ("01_first", fail)):
        cells = [nbformat.v4.new_markdown_cell(f"# Title {name}\n\nAn equation $a^2$."),
                 nbformat.v4.new_code_cell(GOOD, metadata={"tags": ["parameters"]}),
                 nbformat.v4.new_code_cell((body + extra + "book.save()").replace("NAME", name))]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {
            "name": "python3", "display_name": "Python 3", "language": "python"}}), folder / f"{name}.ipynb")
    monkeypatch.setattr(execute, "NOTEBOOKS", folder)
    return tmp_path


def run(site, *, given=None, only=(), resume=False):
    return execute.run_report(given or {}, None, list(only), site / "run", resume, False)


def test_pages_are_whole_and_need_no_network(site, capsys):
    assert run(site) == 0
    assert "Open" in capsys.readouterr().out
    page = (site / "run" / "01_first.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "") and 'src="http' not in page
    assert 'alt="Small coloured tiles in rows."' in page and "<math" in page
    index = (site / "run" / "index.html").read_text()
    assert index.index("00_report") < index.index("01_first")
    assert json.loads((site / "run" / "01_first" / "results.json").read_text())["results"] == {"seed": 0}


def test_parameters_pass_through(site):
    assert run(site, given={"seed": "7"}, only=["01"]) == 0
    assert json.loads((site / "run" / "01_first" / "results.json").read_text())["results"] == {"seed": 7}
    assert not (site / "run" / "00_report.ipynb").exists()


def test_a_failed_notebook_is_kept_named_and_resumed(site, capsys):
    assert run(site, given={"seed": "1"}) == 1
    message = capsys.readouterr().err
    assert "01_first.ipynb" in message and "seed is one" in message and "--resume" in message
    assert (site / "run" / "01_first.ipynb").exists()
    assert run(site, resume=True) == 0


def test_unknown_parameters_and_bad_files_are_refused(site):
    with pytest.raises(InputError, match="sede"):
        run(site, given={"sede": "1"})
    bad = site / "bad.yaml"
    bad.write_text("- only\n- a list\n")
    with pytest.raises(InputError, match="bad.yaml"):
        execute.run_report({}, bad, [], site / "run", False, False)
    assert not (site / "run").exists()


def test_readme_shows_the_committed_results():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert execute.readme_with_results(text) == text
    assert (ROOT / "docs" / "opening.jpg").exists()
