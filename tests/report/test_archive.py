import json

import pytest

from stvae_lib import InputError
from stvae_lib.report import archive


def test_recorded_stages_count_images_on(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "ROOT", tmp_path)
    for name, images in (("first", 10), ("second", 40)):
        folder = tmp_path / "data" / "runs" / name
        folder.mkdir(parents=True)
        (folder / "log.csv").write_text(f"step,seconds,images,loss\n1,2.0,{images // 2},3.0\n2,4.0,{images},1.0\n")
        (folder / "card.json").write_text(f'{{"images": {images}, "seconds": 4.0, "steps": 2}}')
    log, card = archive.recorded_stages("first", "second")
    assert log["images"].tolist() == [5, 10, 30, 50] and log["seconds"].tolist() == [2, 4, 6, 8]
    assert card["images"] == 50 and card["steps"] == 2
    with pytest.raises(InputError, match="third"):
        archive.recorded_run("third")


def test_committed_results_stand_in_for_what_a_run_has_not_executed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(archive, "RESULTS", tmp_path / "committed")
    for path, value in ((tmp_path / "committed" / "01.json", 1), (tmp_path / "committed" / "02.json", 2),
                        (tmp_path / "run" / "02" / "results.json", 20)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    assert archive.read_results("02", tmp_path / "run") == 20 and archive.read_results("02") == 2
    assert capsys.readouterr().out == ""
    assert archive.read_results("01", str(tmp_path / "run")) == 1
    assert capsys.readouterr().out == "01: not executed in this run, its committed results are shown\n"
    with pytest.raises(InputError, match="run/03/results.json"):
        archive.read_results("03", tmp_path / "run")
