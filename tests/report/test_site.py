import nbformat

from stvae_lib.report import site


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def injected(source):
    return nbformat.v4.new_code_cell(source, metadata={"tags": ["injected-parameters"]})


def test_pages_show_no_paths_of_the_machine():
    shown = nbformat.v4.new_output("stream", text="read /home/me/photos/a.jpg, mine.safetensors of /home/me, a/home/me/photos\n")
    picture = nbformat.v4.new_output("display_data", {"image/png": "/home/me/photos"})
    made = site.without_places(notebook(
        injected('# Parameters\ncontent_dir = "/home/me/photos"\nmodel = "/home/me/w/mine.safetensors"\nseed = 7\n'
                 'rate = float("nan")\nout_dir = "/home/me/run/01"\n'),
        nbformat.v4.new_code_cell("x", outputs=[shown, picture])))
    assert made.cells[0].source == "content_dir = 'photos'\nmodel = 'mine.safetensors'\nseed = 7\nrate = float('nan')"
    assert made.cells[1].outputs[0].text == "read photos/a.jpg, mine.safetensors of /home/me, a/home/me/photos\n"
    assert made.cells[1].outputs[1].data["image/png"] == "/home/me/photos"  # base64, which a path may look like


def test_what_the_report_sets_is_not_shown():
    made = site.without_places(notebook(injected('# Parameters\nout_dir = "/tmp/x"\nresults_dir = "/tmp"\n'),
                                        nbformat.v4.new_code_cell("1")))
    assert [cell.source for cell in made.cells] == ["1"]
