import json
import re
import statistics
from dataclasses import fields

import nbformat
import pytest
from common import ROOT

from stvae_lib.evaluation.intervals import BY_READING, CONFOUNDED, FAILS, HOLDS, UNDECIDED, WITHDRAWN, Claim
from stvae_lib.report import archive, execute

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
COMMON = {"profile", "model", "content_dir", "style_dir", "out_dir", "device", "seed"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda file: file.stem, scope="module")
def notebook(request):
    return request.param, nbformat.read(request.param, as_version=4)


def code_cells(book):
    return [cell for cell in book.cells if cell.cell_type == "code" and cell.source.strip()]


def test_there_are_notebooks():
    assert [file.stem for file in NOTEBOOKS] == ["00_report", "01_image_autoencoder", "02_variational_linear_transform",
                                                   "03_resnet50_substitution", "04_baseline_comparison", "05_style_mixing",
                                                   "06_preference", "07_video"]


def test_executed_from_top_to_bottom_without_errors(notebook):
    _, book = notebook
    assert [cell.execution_count for cell in code_cells(book)] == list(range(1, len(code_cells(book)) + 1))
    assert not any(output.output_type == "error" for cell in code_cells(book) for output in cell.outputs)


def test_size_and_no_traces(notebook):
    file, book = notebook
    assert file.stat().st_size <= 400_000
    assert "widgets" not in book.metadata and "papermill" not in book.metadata
    text = json.dumps([[cell.source, cell.get("outputs", [])] for cell in book.cells if cell.cell_type == "code"])
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)


def test_every_picture_has_alt_text_and_a_caption(notebook):
    _, book = notebook
    pictures = 0
    for cell in code_cells(book):
        for position, output in enumerate(cell.outputs):
            for kind in ("image/jpeg", "image/png"):
                if kind in output.get("data", {}):
                    pictures += 1
                    assert len(output.metadata[kind]["alt"]) > 20
                    assert cell.outputs[position + 1].data["text/markdown"].startswith("**Figure")
    assert pictures >= 1


def test_the_figure_that_opens_a_chapter_is_one_of_its_own(notebook):
    _, book = notebook
    named = {metadata.get("name") for cell in code_cells(book) for output in cell.outputs
             for metadata in output.get("metadata", {}).values() if isinstance(metadata, dict)}
    assert book.cells[0].metadata["opening"] in named


def test_parameters_are_typed_explained_and_common(notebook):
    file, book = notebook
    known = execute.known_parameters(file.stem)
    assert set(known) >= COMMON
    cell = next(cell for cell in book.cells if "parameters" in cell.metadata.get("tags", []))
    assert len(known) == len(cell.source.strip().splitlines()), "papermill dropped a line"
    assert all(entry["inferred_type_name"] != "None" and entry["help"] for entry in known.values())


def test_checked_cells_carry_outputs(notebook):
    """nbval compares only cells that have outputs: a stripped notebook would always pass."""
    _, book = notebook
    checked = [cell for cell in book.cells if "nbval-check-output" in cell.metadata.get("tags", [])]
    assert checked and all(cell.outputs for cell in checked)


def test_committed_results_belong_to_the_committed_notebook(notebook):
    file, book = notebook
    results = json.loads((archive.RESULTS / f"{file.stem}.json").read_text())
    assert results["notebook"] == file.stem
    captions = [output.data["text/markdown"] for cell in code_cells(book) for output in cell.outputs
                if "text/markdown" in output.get("data", {}) and output.data["text/markdown"].startswith("**Figure")]
    assert len(captions) == len(results["figures"])
    for number, (caption, figure) in enumerate(zip(captions, results["figures"]), start=1):
        assert caption == f"**Figure {number}.** {figure['caption']}"
    for key in ("git", "versions", "device", "weights", "data", "seconds"):
        assert key in results["provenance"]


def test_cells_are_short(notebook):
    """A cell shows one idea; what only moves data about is in the library."""
    _, book = notebook
    lengths = sorted(sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in code_cells(book))
    assert lengths[-1] <= 25 and statistics.median(lengths) <= 12


@pytest.mark.parametrize("file", sorted(archive.RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_committed_claims_say_what_they_rest_on(file):
    rows = json.loads(file.read_text()).get("claims")
    if not rows:
        pytest.skip("no claims recorded yet")
    for row in rows:
        assert set(row) == {entry.name for entry in fields(Claim)}
        verdict, reading, _ = row["verdict"].partition(f", {BY_READING}")
        assert verdict in (HOLDS, FAILS, UNDECIDED, WITHDRAWN, CONFOUNDED) and row["statement"] and row["source"]
        if reading:
            assert row["rule"] == BY_READING and row["interval"] is None
            assert re.search(r"https?://|#L\d", f"{row['source']} {row['figure']}"), "the lines that were read are linked"
        else:
            assert row["rule"] and row["n"] >= 1 and row["control"]["what"]
            assert verdict not in (HOLDS, FAILS) or row["control"]["verdict"] != verdict
