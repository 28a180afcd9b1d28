"""What README and the chapter on size say of the benchmarks is what these measured."""

import re
import shutil
from string import Template

import pytest
from common import ROOT
from PIL import Image

from stvae_lib.report import scale

WORST = [{"what": "hang"}, {"what": "crash"}, {"what": "hang"}]
HERE = {"provenance": {"device": "cpu: 2 CPU threads", "git": "0123456789ab"}}
RECORDS = {
    "withstands": {
        "command": "python benchmarks/withstands.py",
        "pictures": {"source": "pillow 1.2", "model": "small", "files": 9, "peak_memory_mb": 1230,
                     "photograph": {"done": 5, "remarked": 1, "refused": 3, "others": []},
                     "style": {"done": 4, "remarked": 0, "refused": 2, "others": WORST}, **HERE},
        "models": {"model": "small", "with its card": {"tried": 7, "done": 0, "refused": 7, "others": []},
                   "without": {"tried": 7, "done": 2, "refused": 3, "others": WORST[:2]}, "peak_memory_mb": 345, **HERE},
        "trainings": {"steps": 30, "SIGKILL": {"kills": 4, "checkpoints_lost": 1, "ended": 2, "same_losses": 1},
                      "SIGTERM": {"signals": 3, "told_and_kept": 2, "ended": 3, "same_losses": 3},
                      "full disk": {"limits": 5, "said": 5, "checkpoints_lost": 0, "ended": 1, "same_losses": 1}, **HERE}},
    "folders": {
        "model": "small", "pictures": 100, "size": 64, "small_size": 32, "cores": 2, **HERE,
        "speed": [{"workers": 0, "killed": 0, "seconds": 10.0, "pictures_per_second": 10.0, "lost": 0},
                  {"workers": 1, "killed": 0, "seconds": 9.0, "pictures_per_second": 11.1, "lost": 0},
                  {"workers": 2, "killed": 0, "seconds": 8.0, "pictures_per_second": 12.5, "lost": 0},
                  {"workers": 2, "killed": 1, "seconds": 7.0, "pictures_per_second": 14.3, "lost": 3}],
        "resumed": [{"workers": 0, "pictures": 50, "broken": 5, "whole": 45, "named": 5, "named_rightly": True, "twice": 0},
                    {"workers": 2, "pictures": 50, "broken": 5, "whole": 44, "named": 6, "named_rightly": False, "twice": 1}]},
    "tiles": {"models": {
        name: {"rows": [{"megapixels": size, "seconds": 2.0 * size, "seconds_per_megapixel": 2.0 + size / 10, "tile": tile,
                         "peak_memory_mb": 1000 * size, "kept": tile and "float16", "on disk": tile and name == "large"}
                        for size, tile in ((1, None), (16, 512))],
               "side": 2048, "max_memory": "4GB", "levels": 1, "levels_in_half_precision": 3,
               "levels_by_a_reduced_copy": levels,
               "provenance": {"device": "cpu: 1 CPU threads", "git": "fedcba987654+"}}
        for name, levels in (("small", None), ("large", 40))}},
    "sizes": {"provenance": {"device": "cpu: 2 CPU threads"},
              "rows": [{"model": "small", "64 px (ms)": 100.0}, {"model": "large", "64 px (ms)": 450.0}]},
    "results": {"model": "small", "provenance": {"device": "cpu: 2 CPU threads"},
                "sizes": [{"size": size, "encode_ms": 1.0, "transform_ms": 0.5, "decode_ms": 2.0, "whole_ms": 4.0,
                           "peak_memory_mb": 500} for size in (256, 512)],
                "peers": [{"size": size, "small": 4.0, "Peer": 5.0} for size in (256, 512)]}}


@pytest.fixture
def recorded(monkeypatch):
    monkeypatch.setattr(scale, "read_benchmark", RECORDS.__getitem__)


def test_what_went_wrong_is_told_as_what_went_well_is(recorded):
    lines = scale.withstands().splitlines()
    assert lines[0] == ("- **9 test files of Pillow 1.2**, pictures of all kinds, whole, damaged and none at all, as photograph, "
                        "by `small`: 6 drawn, 1 of them with a remark in one line, 3 refused in one line; 0 tracebacks, 0 hangs, "
                        "0 partial files.")
    assert lines[1].endswith("as style, by `small`: 4 drawn, 0 of them with a remark in one line, 2 refused in one line; "
                             "0 tracebacks, 2 hangs, 0 partial files, 1 crashes. At most 1.2 GB of memory.")
    text = "\n".join(lines)
    assert "4 random moments of its 30 small steps: 1 checkpoints lost, 1 of 2 that were gone on with gave, step by step" in text
    assert "(SIGTERM) 3 times: 2 wrote a checkpoint" in text and "by 5 different limits on the size of files: 5 said so" in text
    assert "amid 100 photographs of 64 px on 2 workers, by `small`: 3 lost" in text
    assert "amid 50 pictures of 32 px in one process, 5 of them broken" in text
    assert "`--resume` ends with 45 whole, 5 named as broken, 0 made twice" in text
    assert "ends with 44 whole, 6 named, not all of them rightly, 1 made twice" in text
    assert "7 damaged files of `small`**, its card with its checksum beside them: 7 refused in one line, 0 taken" in text
    assert "changed into another: 3 refused in one line, 2 taken for whole and drawn with; 0 tracebacks, 1 hangs" in text
    assert ("16 megapixels** by `large` at `--max-memory 4GB`: 32 s; 2.1 to 3.6 s a megapixel (71% from least to most), and at "
            "most 16.0 GB of memory, for pictures from 1 to 16") in text
    assert "2048 px, tiles are at most 1 of 255" in text
    assert lines[-1].startswith("- Measured at commits `0123456` (test files)")
    assert lines[-1].endswith("`fedcba9+` (large pictures by `large`).")


def test_a_million_pictures_cost_what_the_fastest_workers_took(recorded):
    rows = [line.split(" | ") for line in scale.million().splitlines()[2:]]
    assert rows == [["| small", "0.16", "44", "0.4 |"], ["| large", "0.86", "239", "2.4 |"]]


def test_photographs_of_cameras_take_the_rate_of_the_next_larger_picture(recorded):
    rows = [line.split(" | ") for line in scale.camera().splitlines()[2:]]
    assert rows == [[f"| {name}", "43", "12", "0.4 |"] for name in ("small", "large")]
    assert scale.fastest().startswith("The quickest on this one machine was 2 workers: 12.5 pictures")


def test_the_chapter_is_filled_and_has_its_figures(recorded, tmp_path):
    shutil.copy(ROOT / "docs" / "scale.md", tmp_path)
    scale.write_scale_page(tmp_path)
    text = (tmp_path / "scale.md").read_text()
    assert "A folder of 100 photographs at 64 px by `small`" in text
    assert "up to 40 of 255 grey levels off the one drawn at once; with those summed up over the tiles, 1 at most" in text
    assert "| large | 16 | 32.0 | 3.6 | 16.0 | 512 |" in text and "| none, without Dask | 0 | 10.0 | 10.0 | 0 |" in text
    for name in re.findall(r"pictures/[\w-]+\.png", text):
        assert min(Image.open(tmp_path / name).size) > 200
    assert not set(Template(text).get_identifiers()), "nothing is left to fill in"


def test_the_committed_figures_are_those_that_the_chapter_needs(tmp_path):
    shutil.copy(ROOT / "docs" / "scale.md", tmp_path)
    scale.write_scale_page(tmp_path)
