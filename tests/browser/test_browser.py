"""What only a real browser can show: pages without a server and, elsewhere, explorers with a kernel."""

import io
import re
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import torch
from browser.servers import JUPYTERLAB, serving, wait_for_file
from common import ROOT
from PIL import Image

from stvae_lib.report import explorers, site
from stvae_lib.report.book import Book


def tile(red: float, green: float):
    return torch.tensor([red, green, 0.2])[:, None, None].expand(1, 3, 40, 60)


@pytest.fixture
def sliders_page(tmp_path, monkeypatch):
    """A built page with a path (one slider) and a pad (two sliders) of plain colours."""
    monkeypatch.setattr(site, "build_try_it", lambda folder, home: None)
    marks = []
    monkeypatch.setattr("stvae_lib.report.book.display", lambda shown: marks.append(shown.data))
    book = Book("x", {"out_dir": str(tmp_path / "x")})
    book.frames([[tile(i / 4, 0.0) for i in range(5)]], "path", ["from black to red"])
    book.frames([[tile(i / 2, j / 2) for i in range(3)] for j in range(3)], "pad", ["across", "down"])
    outputs = [nbformat.v4.new_output("display_data", data={"text/html": mark}) for mark in marks]
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("book", outputs=outputs)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "x.ipynb")
    book.save()
    return site.write_site(tmp_path).parent / "x.html"


def comes_from_files(page) -> bool:
    """Whether nothing was asked of a network, and no error was noted."""
    return page.errors == [] and all(url.startswith(("file:", "data:")) for url in page.requests)


def weight(page) -> int:
    """Bytes of a page and of its pictures, without the theme that all pages share."""
    files = {Path(unquote(urlsplit(url).path)) for url in page.requests if url.startswith("file:")}
    return sum(file.stat().st_size for file in files if "_static" not in file.parts)


def colour_in_the_middle(locator) -> tuple[int, int, int]:
    picture = Image.open(io.BytesIO(locator.screenshot())).convert("RGB")
    return picture.getpixel((picture.width // 2, picture.height // 2))


def test_precomputed_frames_move_without_a_server(watched, sliders_page):
    watched.goto(sliders_page.as_uri())
    path, pad = watched.locator(".stvae-frames").all()
    picture = path.locator(".picture")
    red, _, _ = colour_in_the_middle(picture)
    assert red < 20
    path.locator("input").fill("4")
    assert colour_in_the_middle(picture)[0] > 230
    path.locator("input").press("ArrowLeft")
    assert 150 < colour_in_the_middle(picture)[0] < 220
    across, down = pad.locator("input").all()
    across.fill("2")
    down.fill("1")
    red, green, _ = colour_in_the_middle(pad.locator(".picture"))
    assert red > 230 and 100 < green < 155
    assert across.get_attribute("aria-label") == "across"
    assert comes_from_files(watched) and weight(watched) < 1_500_000


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The book of the committed notebooks, as `make site` builds it."""
    return site.site_of(None, tmp_path_factory.mktemp("book")).parent


LARGE = """[...document.images].filter((image) => {
    const box = image.getBoundingClientRect();
    return box.top < innerHeight && box.width >= Math.min(400, 0.85 * innerWidth);
}).length"""
CODE = """[...document.querySelectorAll("pre")].filter((code) => code.checkVisibility()
    && code.getBoundingClientRect().top < innerHeight).length"""


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_of_the_book_is_quiet_and_opens_with_a_picture(watched, built, width):
    watched.set_viewport_size({"width": width, "height": 900})
    pages = [file for file in sorted(built.glob("*.html")) if file.name != "try_it.html"]  # which has tests of its own
    assert len(pages) >= 9
    for file in pages:
        watched.requests.clear()
        watched.goto(file.as_uri())
        assert comes_from_files(watched), (file.name, watched.errors, watched.requests)
        assert watched.evaluate("document.documentElement.scrollWidth") <= width, file.name
        assert watched.evaluate("[...document.images].every((image) => image.alt && image.naturalWidth)"), file.name
        assert weight(watched) < 1_500_000, file.name
        if file.name == "index.html" or file.name[0].isdigit() or file.name.startswith("lab_"):
            assert watched.evaluate(LARGE) and not watched.evaluate(CODE), file.name


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])  # colours go with one, layout with the other
def test_no_page_has_serious_barriers(browser, built, barriers, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for file in sorted(built.glob("*.html")):
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.dataset.theme ?? ''") in (scheme, ""), file.name
        assert barriers(page) == [], (file.name, width, scheme)
    page.close()


SHOWN = """[...document.querySelectorAll("figure[class*='columns-']")].map((figure) => {
    const columns = Number(figure.className.match(/columns-(\\d+)/)[1]);
    const box = figure.querySelector("img").getBoundingClientRect();
    return {name: figure.id, columns, width: box.width / columns, right: box.right};
})"""


def test_single_pictures_are_large_enough_to_see_a_stroke(watched, built):
    watched.set_viewport_size({"width": 1280, "height": 900})
    pages = [file for file in sorted(built.glob("*.html")) if file.name[0].isdigit() or file.name.startswith("lab_")]
    for file in pages:
        watched.goto(file.as_uri())
        figures = watched.evaluate(SHOWN)
        assert figures, f"{file.name}: no figure says how many pictures stand side by side"
        assert [figure for figure in figures if figure["width"] < 220 or figure["columns"] > 5 or figure["right"] > 1280] == []
    assert len(pages) > 11, "eight chapters and four labs"


NARROW = """[...document.querySelectorAll(".pst-scrollable-table-container")].filter((box) => box.clientWidth).map((box) => {
    const table = box.querySelector("table"), statements = !!table.closest(".statements");
    const cells = [...table.querySelectorAll("tbody td")].map((cell) => cell.getBoundingClientRect());
    const hint = getComputedStyle(box, "::before").content;
    return {statements, hint, fits: cells.every((cell) => cell.right <= innerWidth && cell.width > 200),
            hidden: box.scrollWidth > box.clientWidth + 1};
})"""


def test_tables_can_be_read_on_a_phone(watched, built):
    """Statements as cards, within the page; any other table scrolls in its box, and says so where there is something to see."""
    watched.set_viewport_size({"width": 390, "height": 900})
    watched.goto((built / "02_variational_linear_transform.html").as_uri())
    watched.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    tables = watched.evaluate(NARROW)
    statements = [table for table in tables if table["statements"]]
    assert statements and all(table["fits"] and not table["hidden"] for table in statements)
    others = [table for table in tables if not table["statements"]]
    assert any(table["hidden"] for table in others) and all(("scroll" in table["hint"]) == table["hidden"] for table in others)
    watched.set_viewport_size({"width": 1280, "height": 900})
    assert watched.locator(".statements thead").first.is_visible()


def test_the_first_page_leads_on(watched, built):
    """Its gallery opens at a click, its handle moves, and Try it is there."""
    watched.goto((built / "index.html").as_uri())
    thumbnail, sheet = watched.locator(".gallery a.image-reference").first, watched.locator("dialog.enlarged")
    thumbnail.click()
    sheet.locator("img").wait_for()
    assert sheet.locator("img").evaluate("(image) => image.naturalWidth") > 400
    watched.keyboard.press("Escape")
    handle = watched.locator("figure.compare input")
    handle.press("End")
    assert watched.locator("figure.compare").evaluate("(figure) => figure.style.getPropertyValue('--share')") == "100%"
    assert watched.locator("a[href='try_it.html']").count() >= 3
    watched.locator(".ways a").first.click()
    watched.get_by_role("heading", name="Try it").wait_for()
    assert watched.errors == []


def test_a_figure_opens_at_a_click_or_a_key_and_closes_again(watched, built):
    watched.goto((built / "01_image_autoencoder.html").as_uri())
    link, sheet = watched.locator("figure.enlarge a.image-reference").first, watched.locator("dialog.enlarged")
    link.click()
    sheet.locator("img").wait_for()
    assert sheet.locator("img").get_attribute("alt") == link.locator("img").get_attribute("alt")
    watched.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    link.focus()
    watched.keyboard.press("Enter")
    sheet.get_by_role("button", name="Close").click()
    sheet.wait_for(state="hidden")
    link.click()
    watched.go_back()  # as on a phone: closes the picture, and leaves the page where it is
    sheet.wait_for(state="hidden")
    assert watched.url.endswith("01_image_autoencoder.html") and comes_from_files(watched)


def test_the_contents_at_the_right_follow_a_reader_who_jumps(watched, built):
    watched.set_viewport_size({"width": 1280, "height": 900})
    watched.goto((built / "03_resnet50_substitution.html").as_uri())
    for name in ("The verdict", "The line-up", "Entropy as a dial"):
        end = f"[...document.querySelectorAll('h2, h3')].find((at) => at.textContent.startsWith('{name}'))"
        watched.evaluate(f"window.scrollTo({{top: {end}.getBoundingClientRect().top + scrollY + 500, behavior: 'instant'}})")
        watched.locator("#pst-page-toc-nav a.active", has_text=name).wait_for(state="attached")
        assert watched.locator("#pst-page-toc-nav [aria-current]").count() == 1


def test_the_keyboard_shows_where_it_is(watched, built):
    """On a card, whose link fills it unseen, and on a button of the theme."""
    watched.goto((built / "index.html").as_uri())
    for place in (".sd-card:has(a)", "#pst-header button:visible, .bd-main button:visible"):
        target = watched.locator(place).first
        before = target.evaluate("(box) => getComputedStyle(box).outlineStyle")
        (target.locator("a").first if "card" in place else target).focus()
        watched.keyboard.press("Shift+Tab")
        watched.keyboard.press("Tab")
        assert (before, target.evaluate("(box) => getComputedStyle(box).outlineStyle")) == ("none", "solid"), place


def test_the_book_is_searched_without_a_server(watched, built):
    watched.goto((built / "search.html").as_uri() + "?q=whitening")
    watched.locator("ul.search li", has_text="variational linear transform").first.wait_for(timeout=10_000)
    assert comes_from_files(watched)


def test_folded_code_says_what_it_does_and_opens(watched, built):
    watched.goto((built / "02_variational_linear_transform.html").as_uri())
    fold = watched.locator("details.hide").filter(has_text="draws figure 1").first
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").click()
    fold.locator("pre").wait_for()
    assert fold.locator("button.copybtn").count() == 1


def test_hints_and_solutions_of_a_lab_unfold(watched, built):
    watched.goto((built / "lab_01_features.html").as_uri())
    for summary, inside in (("Hint", "multiplies rows with rows"), ("Solution", "return features @ features.T")):
        fold = watched.locator("details", has=watched.locator("summary", has_text=summary)).first
        shown = fold.locator("p, pre", has_text=inside).last
        assert not shown.is_visible()
        fold.locator("summary").click()
        shown.wait_for()
    assert watched.locator("pre", has_text="raise NotImplementedError()").first.is_visible()
    blanks = built / watched.get_by_role("link", name="the notebook with blanks").get_attribute("href")
    assert "YOUR CODE HERE" in (text := blanks.read_text(encoding="utf-8")) and "SOLUTION" not in text
    assert comes_from_files(watched)


class Seen:
    """The picture of an explorer, as the browser shows it."""

    def __init__(self, explorer):
        self.image = explorer.locator("img").first

    def source(self) -> str:
        return self.image.get_attribute("src")

    def pixels(self) -> bytes:
        return Image.open(io.BytesIO(self.image.screenshot())).convert("RGB").resize((64, 64)).tobytes()

    def changes(self, page, act, seconds: float = 30) -> None:
        """`act()` must change what is shown, in pixels, not only in traits."""
        before, pixels = self.source(), self.pixels()
        act()
        end = time.monotonic() + seconds
        while self.source() == before or self.pixels() == pixels:
            assert time.monotonic() < end, "the picture did not change"
            page.wait_for_timeout(100)
        page.wait_for_timeout(800)  # the full size follows when the hand rests


def choose(page, explorer, button: str, file) -> None:
    """Pick a file in the dialogue that a button opens."""
    with page.expect_file_chooser() as dialogue:
        explorer.locator("button", has_text=button).first.click()
    dialogue.value.set_files(file)


def play(page, explorer, folder) -> None:
    """Everything that a visitor does with the mixing pad of a server in `folder`."""
    seen = Seen(explorer)
    seen.image.wait_for(timeout=120_000)
    pad = explorer.locator(".stvae-pad")
    pad.focus()
    seen.changes(page, lambda: pad.press("Shift+ArrowRight"))
    box = pad.bounding_box()
    seen.changes(page, lambda: page.mouse.click(box["x"] + 20, box["y"] + box["height"] - 20))
    Image.effect_mandelbrot((120, 90), (-2, -1, 1, 1), 60).convert("RGB").save(folder / "fractal.png")
    (folder / "notes.txt").write_text("no picture")
    seen.changes(page, lambda: choose(page, explorer, "Own photo", folder / "fractal.png"))
    choose(page, explorer, "Own photo", folder / "notes.txt")
    explorer.locator("[role=alert]", has_text="notes.txt").wait_for(timeout=20_000)
    Image.effect_noise((4000, 4000), 90).save(folder / "large.png")  # more than a server takes in one message
    assert (folder / "large.png").stat().st_size > 11e6
    seen.changes(page, lambda: choose(page, explorer, "Own photo", folder / "large.png"))
    (folder / "film.png").write_bytes(bytes(31_000_001))
    choose(page, explorer, "Own photo", folder / "film.png")
    explorer.locator("[role=alert]", has_text="film.png: has 32 MB; give a file of at most 30 MB").wait_for(timeout=20_000)
    seen.changes(page, lambda: choose(page, explorer, "Own photo", folder / "fractal.png"))
    explorer.locator("button", has_text="Save").first.click()
    explorer.locator("[role=status]", has_text="stvae-1.png").wait_for(timeout=30_000)
    assert Image.open(folder / "stvae-1.png").size == (120, 90) and (folder / "stvae-1.json").exists()


@pytest.mark.slow
def test_the_explorers_live_in_voila(watched, tmp_path):
    """What `make app` serves."""
    explorers.write_app(tmp_path / "app.ipynb")
    with serving(tmp_path, "voila", "app.ipynb", "--no-browser", "--port=PORT", "--Voila.ip=127.0.0.1") as address:
        watched.set_default_timeout(60_000)
        watched.goto(address)
        explorer = watched.locator(".jupyter-widgets.widget-tab")
        explorer.wait_for(timeout=180_000)
        play(watched, explorer, tmp_path)


def check_page_without_kernel(page, file) -> None:
    """Every slider of a built page moves its picture, quietly and from the file alone."""
    page.goto("about:blank")  # whatever was open may still complain that its server is gone
    page.errors.clear(), page.requests.clear()
    page.goto(file.as_uri())
    explorers = page.locator(".stvae-frames").all()
    assert len(explorers) == 2
    for frames in explorers:
        for slider in frames.locator("input").all():
            before = frames.locator(".picture").screenshot()
            slider.press("End")
            assert frames.locator(".picture").screenshot() != before
    assert comes_from_files(page) and weight(page) < 1_500_000


def run_all_cells(page, seconds: float = 120) -> None:
    """Run > Run All Cells until a prompt shows that it was heard: a notebook without its kernel yet stays silent."""
    # attached, not visible: extensions, as nbgrader's, push it off a full toolbar
    page.locator(".jp-Toolbar-kernelName", has_text="Python 3").wait_for(state="attached", timeout=seconds * 1000)
    heard = page.locator(".jp-InputPrompt", has_text=re.compile(r"\[(\*|\d+)\]"))
    end = time.monotonic() + seconds
    while heard.count() == 0:
        assert time.monotonic() < end, "no cell ran"
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_timeout(3000)
        for accept in page.locator(".jp-Dialog .jp-mod-accept").all():  # asked which kernel: the one it offers
            accept.click()


@pytest.mark.slow
@pytest.mark.usefixtures("own_jupyter")
def test_notebook_05_lives_in_jupyterlab(watched, tmp_path, monkeypatch):
    """Open, run all, and play with the mixing pad; then build its page and play with that, without a server."""
    monkeypatch.setattr(site, "build_try_it", lambda folder, home: None)
    source = (ROOT / "notebooks" / "05_style_mixing.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(source.replace('out_dir: str = \\"\\"', f'out_dir: str = \\"{tmp_path}/05\\"'), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, tmp_path / "05.ipynb")
    with serving(tmp_path, *JUPYTERLAB) as address:
        watched.set_default_timeout(60_000)
        watched.goto(address + "lab/tree/05.ipynb")
        run_all_cells(watched)
        explorer = watched.locator(".widget-vbox:has(.stvae-pad)").first
        explorer.wait_for(state="attached", timeout=600_000)
        explorer.scroll_into_view_if_needed()
        play(watched, explorer, tmp_path)
        wait_for_file(tmp_path / "05" / "results.json")
    (tmp_path / "05.ipynb").write_text(source, encoding="utf-8")
    check_page_without_kernel(watched, site.write_site(tmp_path).parent / "05.html")
