import json

from stvae_lib.report.book import Book


def test_results_do_not_say_where_things_lie_on_the_machine(tmp_path):
    book = Book("x", {"out_dir": str(tmp_path), "content_dir": "/a/photos", "model": "/a/mine.safetensors", "seed": 3})
    kept = json.loads(book.save().read_text())["parameters"]
    assert kept == {"model": "mine.safetensors", "seed": 3}
