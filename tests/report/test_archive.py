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
