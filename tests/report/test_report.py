import json
import re

import nbformat
import pytest

from stvae_lib import InputError
from stvae_lib.report import execute

GOOD = "out_dir: str = \"\"  # folder\ncontent_dir: str = \"\"  # folder\nseed: int = 0  # seed"
LANDING = GOOD + "\nresults_dir: str = \"\"  # folder"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Two tiny notebooks in place of the project's; the second fails when `seed` is 1, until a file `mended` is there."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    body = ("import os\n"
            "from stvae_lib.pictures import styles\n"
            "from stvae_lib.report import figures\n"
            "from stvae_lib.report.book import Book\n"
            "book = Book('NAME', {'out_dir': out_dir, 'seed': seed, 'device': 'cpu'})\n"
            "book.figure(figures.grid([[styles.generate('mosaic', 32)]]), 'tile', 'A tile.', 'Small coloured tiles in rows.')\n"
            "book.add(seed=seed, photos=os.listdir(content_dir) if content_dir else [])\n"
            "print(content_dir)\n")
    fail = "if seed == 1 and not os.path.exists('../mended'):\n    raise ValueError('seed is one')\n"
    read = "from stvae_lib.report import archive\nprint(list(archive.claims_by_notebook(results_dir)))\n"
    for name, extra in (("00_report", read), ("01_first", fail)):
        cells = [nbformat.v4.new_markdown_cell(f"# Title {name}\n\nAn equation $a^2$."),
                 nbformat.v4.new_code_cell(LANDING if name == "00_report" else GOOD, metadata={"tags": ["parameters"]}),
                 nbformat.v4.new_code_cell((body + extra + "book.save()").replace("NAME", name))]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {
            "name": "python3", "display_name": "Python 3", "language": "python"}}), folder / f"{name}.ipynb")
    monkeypatch.setattr(execute, "NOTEBOOKS", folder)
    monkeypatch.setattr("stvae_lib.report.site.build_try_it", lambda folder, home: None)
    return tmp_path


@pytest.fixture
def quick(site, monkeypatch):
    """The same, with executions that take no time: they are listed, and write results."""
    done = []

    def execute_quickly(name, folder, parameters, update):
        done.append((name, parameters))
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "results.json").write_text("{}")
        return "it failed" if parameters.get("seed") == 13 else None

    monkeypatch.setattr(execute, "execute", execute_quickly)
    monkeypatch.setattr(execute, "write_site", lambda folder: folder / "index.html")
    return done


def run(site, *, given=None, only=(), resume=False, file=None):
    return execute.run_report(given or {}, file, list(only), site / "run", resume, False)


def test_pages_are_whole_and_need_no_network(site, capsys):
    assert run(site) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == f"Open {site / 'run' / 'site' / 'index.html'}" and printed.err == ""
    page = (site / "run" / "site" / "01_first.html").read_text()
    assert not re.search(r'<(?:script|img|link)[^>]*(?:src|href)="(?:https?:)?//', page)
    assert 'alt="Small coloured tiles in rows."' in page and "<math" in page
    index = (site / "run" / "site" / "index.html").read_text()
    assert index.index("00_report") < index.index("01_first")
    assert json.loads((site / "run" / "01_first" / "results.json").read_text())["results"] == {"seed": 0, "photos": []}


def test_parameters_pass_through_and_folders_are_the_callers(site, monkeypatch):
    (site / "my_photos").mkdir()
    (site / "my_photos" / "holiday.jpg").touch()
    monkeypatch.chdir(site)
    assert run(site, given={"seed": "7", "content_dir": "my_photos"}, only=["01"]) == 0
    results = json.loads((site / "run" / "01_first" / "results.json").read_text())["results"]
    assert results == {"seed": 7, "photos": ["holiday.jpg"]}
    assert not (site / "run" / "00_report.ipynb").exists()
    page = (site / "run" / "site" / "01_first.html").read_text()
    assert "my_photos" in page
    for file in (site / "run" / "site").rglob("*"):
        assert file.is_dir() or str(site).encode() not in file.read_bytes(), file


def test_the_landing_page_alone_says_what_it_tells_nothing_of(site, capsys):
    assert run(site, only=["00"]) == 0
    assert "tells nothing of 01_first, not executed in this run" in capsys.readouterr().out


@pytest.mark.slow
def test_a_failed_notebook_is_kept_named_and_resumed(site, capsys):
    assert run(site, given={"seed": "1"}) == 1
    message = capsys.readouterr().err
    assert "01_first.ipynb" in message and "seed is one" in message and "--resume" in message
    assert (site / "run" / "01_first.ipynb").exists()
    (site / "mended").touch()
    assert run(site, resume=True) == 0
    assert json.loads((site / "run" / "00_report" / "results.json").read_text())["results"]["seed"] == 1


def test_a_run_goes_on_with_the_parameters_it_was_started_with(site, quick):
    assert run(site, given={"seed": "7"}, only=["01"]) == 0
    assert run(site, resume=True) == 0
    assert quick == [("01_first", {"seed": 7}), ("00_report", {"seed": 7})]
    (site / "same.yaml").write_text("seed: 7\n")
    assert run(site, resume=True, file=site / "same.yaml") == 0 and len(quick) == 2


def test_one_notebook_goes_on_beside_another_that_failed(site, quick, monkeypatch, capsys):
    well = execute.execute
    monkeypatch.setattr(execute, "execute", lambda name, *rest: "it failed" if name == "01_first" else well(name, *rest))
    assert run(site) == 1
    assert run(site, only=["00"], resume=True) == 0
    assert [name for name, _ in quick] == ["00_report"]


def test_cut_results_are_made_again(site, quick):
    assert run(site) == 0
    (site / "run" / "01_first" / "results.json").write_text('{"notebook": ')
    assert run(site, resume=True) == 0
    assert [name for name, _ in quick] == ["01_first", "00_report", "01_first"]


@pytest.mark.parametrize("number", ["", "09", "x"])
def test_a_number_that_is_no_notebooks_is_refused(number, site):
    with pytest.raises(InputError, match=f"--only {number}".strip() + ": matches no notebook; use one of 00"):
        run(site, only=[number])


@pytest.mark.parametrize("again", [{"resume": True}, {"only": ["00"]}])
def test_two_sets_of_parameters_do_not_meet_in_one_run(again, site, quick):
    run(site, given={"seed": "7"}, only=["01"])
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"seed 7 → 8.*`stvae report --resume --out \S+/run") as refused:
        run(site, given={"seed": "8"}, **again)
    assert ("--only 00" in str(refused.value)) == ("only" in again)
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before
    (site / "run" / "parameters.json").unlink()  # a run of an earlier version
    with pytest.raises(InputError, match="does not say"):
        run(site, **again)


def test_a_run_made_anew_in_its_folder_takes_other_parameters_and_no_old_results(site, quick, capsys):
    run(site, given={"seed": "7"})
    assert run(site, given={"seed": "13"}) == 1
    said = capsys.readouterr().err
    assert f"it failed; go on with `stvae report --resume --out {site / 'run'}`" in said
    assert not (site / "run" / "00_report" / "results.json").exists()
    assert run(site, given={"seed": "13"}, only=["01"]) == 1
    assert f"`stvae report --resume --out {site / 'run'} --only 01`" in capsys.readouterr().err


def test_a_resumed_folder_must_be_there(site, quick):
    with pytest.raises(InputError, match="no run to resume"):
        run(site, resume=True)
    assert not (site / "run").exists()
    (site / "run").mkdir()
    with pytest.raises(InputError, match="run: holds no run to resume"):
        run(site, resume=True)
    assert not quick and not list((site / "run").iterdir())


def test_a_site_alone_is_no_run_to_resume(tmp_path, monkeypatch):
    monkeypatch.setattr(execute, "ROOT", tmp_path)
    (tmp_path / "runs" / "2030-01-01_000000").mkdir(parents=True)
    (tmp_path / "runs" / "2030-01-01_000000" / "parameters.json").write_text("{}")
    (tmp_path / "runs" / "2030-01-02_000000" / "site").mkdir(parents=True)
    assert execute.run_folder(None, True).name == "2030-01-01_000000"


def test_unknown_parameters_and_bad_files_are_refused(site):
    with pytest.raises(InputError, match="sede"):
        run(site, given={"sede": "1"})
    for given, word in (({"seed": "one"}, "int"), ({"content_dir": "nowhere"}, "nowhere"), ({"out_dir": "x"}, "--out"),
                        ({"results_dir": "x"}, "--out")):
        with pytest.raises(InputError, match=word):
            run(site, given=given)
    bad = site / "bad.yaml"
    bad.write_text("- only\n- a list\n")
    with pytest.raises(InputError, match="bad.yaml"):
        execute.run_report({}, bad, [], site / "run", False, False)
    assert not (site / "run").exists()


def test_the_notebooks_own_folder_is_no_place_for_a_run(site):
    with pytest.raises(InputError, match="holds the notebooks themselves"):
        execute.run_folder(execute.NOTEBOOKS, False)
