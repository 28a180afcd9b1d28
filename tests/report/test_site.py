import html
import json

import nbformat
import pytest
from common import ROOT, markdown_output, picture_output

from stvae_lib import InputError
from stvae_lib.cli import main
from stvae_lib.evaluation.intervals import above, judge
from stvae_lib.pictures import images, styles
from stvae_lib.report import site

CLAIMS = [judge("it moves", "here", 2.0, "", above(1), ("stillness", 0.0)),
          judge("it flies", "here", 0.0, "", above(1), ("a bird", 2.0))]
TEXT = "# First\n\nAs $a^2$, by Li and Wand 2016.\n\n$$\\sum_i b_i$$\n\n| a | b |\n| - | - |\n| 1 | 2 |"


@pytest.fixture(autouse=True)
def quick_try_it(monkeypatch):
    """The page Try it without its model, which takes a while to export."""
    def build(folder, home=""):
        (folder / "try_it.html").write_text(f'<a href="{home}">back</a>')

    monkeypatch.setattr(site, "build_try_it", build)


@pytest.fixture
def run(tmp_path):
    """A run's folder with one executed notebook, and one that failed."""
    folder = tmp_path / "run"
    for name in ("01_first", "02_failed"):
        cells = [nbformat.v4.new_markdown_cell(TEXT),
                 nbformat.v4.new_code_cell('out_dir = "/ours/me/run"', metadata={"tags": ["injected-parameters"]}),
                 nbformat.v4.new_code_cell("draw()", outputs=[
                     picture_output(images.to_jpeg(styles.generate("mosaic", 48)), "Small tiles in rows."),
                     markdown_output("**Figure 1.** A tile.")])]
        (folder / name).mkdir(parents=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    results = {"notebook": "01_first", "claims": [claim.to_json() for claim in CLAIMS], "figures": []}
    (folder / "01_first" / "results.json").write_text(json.dumps(results))
    return folder


def test_a_run_becomes_a_book(run, capfd):
    assert main(["site", str(run)]) == 0
    printed = capfd.readouterr()
    assert printed.out.splitlines()[-1] == f"Open {run / 'site' / 'index.html'}" and printed.err == "", "Sphinx has no complaints"
    page, index = ((run / "site" / name).read_text() for name in ("01_first.html", "index.html"))
    assert page.count("<math") == 2 and 'alt="Small tiles in rows."' in page and 'href="bibliography.html' in page
    assert "/ours/me" not in page and "out_dir" not in page
    assert "1 min to read" in index and "holds: 1" in index and "it flies" in index and "02_failed" not in index
    assert 'class="sd-btn sd-btn-primary" href="try_it.html"' in index and (run / "site" / "try_it.html").exists()
    assert page.index("What failed, and where to go") < page.index("it flies") and 'href="_sources/01_first.ipynb"' in page
    assert nbformat.read(run / "site" / "_sources" / "01_first.ipynb", 4).cells[0].source.startswith("# First")


def test_a_bad_notebook_ends_the_build_in_one_line(run, capsys):
    (run / "01_first.ipynb").write_text("{broken")
    assert main(["site", str(run)]) == 2
    said = capsys.readouterr().err
    assert "01_first.ipynb: is no notebook" in said and said.count("\n") == 1


def test_folders_without_notebooks_are_refused(tmp_path):
    for folder, wrong in ((tmp_path, "no executed notebooks"), (tmp_path / "nowhere", "is no folder")):
        with pytest.raises(InputError, match=wrong):
            site.site_of(folder, None)


def test_the_committed_notebooks_become_a_run_of_their_own(monkeypatch):
    monkeypatch.setattr(site, "write_site", lambda folder, out, solutions: (folder, out))
    for folder in (None, ROOT / "notebooks"):
        source, out = site.site_of(folder, None)
        assert source == ROOT / "notebooks" and out.parent == ROOT / "runs"


LAUNCHERS = ("colab.research.google.com", "mybinder.org", "hub/user-redirect/git-pull")


def test_launch_buttons_lead_to_the_repository_that_is_named_and_are_not_there_without_one(run, monkeypatch):
    monkeypatch.delenv("STVAE_REPOSITORY", raising=False)
    text = site.write_site(run).with_name("01_first.html").read_text()
    assert not any(launcher in text for launcher in LAUNCHERS) and "fa-rocket" not in text and "fa-github" not in text
    monkeypatch.setenv("STVAE_REPOSITORY", "https://github.com/owner/name.git")
    monkeypatch.setenv("STVAE_JUPYTERHUB", "https://hub.example.org/")
    text = html.unescape(site.write_site(run).with_name("01_first.html").read_text())
    place = "notebooks/01_first.ipynb"
    assert f'href="https://colab.research.google.com/github/owner/name/blob/main/{place}"' in text
    assert f'href="https://mybinder.org/v2/gh/owner/name/main?urlpath=lab/tree/{place}"' in text
    assert f"git-pull?repo=https%3A//github.com/owner/name&urlpath=lab/tree/name/{place}&branch=main" in text
    assert 'href="https://github.com/owner/name"' in text and "git clone --depth 1 https://github.com/owner/name" in text


def test_committed_notebooks_get_only_files_that_their_results_came_with(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "ROOT", tmp_path)
    monkeypatch.setattr(site, "RESULTS", tmp_path / "results")
    kept = tmp_path / "runs" / "notebooks" / "01_x"
    for folder in (kept, tmp_path / "results"):
        folder.mkdir(parents=True)
    file = tmp_path / "notebooks" / "01_x.ipynb"
    file.parent.mkdir()
    file.touch()
    assert site.run_of(file, True) is None and site.has_previews(None) and not site.has_previews(tmp_path)
    (kept / "results.json").write_text("1")
    (tmp_path / "results" / "01_x.json").write_text("2")
    assert site.run_of(file, True) is None
    (tmp_path / "results" / "01_x.json").write_text("1")
    assert site.run_of(file, True) == kept and site.run_of(file, False) == tmp_path / "notebooks" / "01_x"
    assert not site.has_previews(None)
