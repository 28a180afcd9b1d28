import xml.etree.ElementTree

import pytest
from common import ROOT

from stvae_lib.provenance import lines_of
from stvae_lib.report import diagram
from stvae_lib.report.chapters import with_sources

SVG = "{http://www.w3.org/2000/svg}"
BOXES = {name: part for name, part in diagram.PARTS.items() if part.box}


@pytest.fixture(scope="module")
def drawn():
    return xml.etree.ElementTree.fromstring(diagram.svg())


def test_every_box_names_its_code_and_links_to_it(drawn):
    groups = [group for group in drawn.iter(f"{SVG}g")]
    assert len(groups) == len(BOXES)
    for group, part in zip(groups, BOXES.values()):
        links = {link.get("href"): "".join(link.itertext()) for link in group.iter(f"{SVG}a")}
        assert links == {f"../{lines_of(code)}": code.__name__ for code in (part.code[0], *part.ours[:1])}
        assert "".join(group.itertext()).startswith(part.box.replace("\n", ""))


def test_links_lead_to_where_the_code_begins(drawn):
    for link in drawn.iter(f"{SVG}a"):
        file, lines = link.get("href").removeprefix("../").split("#L")
        line = (ROOT / file).read_text(encoding="utf-8").splitlines()[int(lines.split("-")[0]) - 1].strip()
        assert line.startswith(("class ", "def ", "@")), link.get("href")


def test_arrows_go_from_one_place_to_the_next(drawn):
    places = diagram.PICTURES | {name: part.at for name, part in BOXES.items()}
    arrows = [path for path in drawn.iter(f"{SVG}path") if path.get("marker-end")]
    names = [*diagram.ARROWS, *diagram.OUR_ARROWS]
    assert len(arrows) == len(names) and set(BOXES) | set(diagram.PICTURES) == {name for pair in names for name in pair}
    for arrow, pair in zip(arrows, names):
        x, y, to_x, to_y = map(float, arrow.get("d").removeprefix("M").split())
        for name, end in zip(pair, ((x, y), (to_x, to_y))):
            off = [abs(one - other) for one, other in zip(places[name], end)]
            assert off[0] <= diagram.NODE[0] / 2 + 6 and off[1] <= diagram.NODE[1] / 2 + 6, (pair, name)


def test_the_drawing_says_what_it_shows(drawn):
    assert drawn.get("aria-label") == diagram.ALT and drawn.get("role") == "group"


def test_in_the_book_its_links_lead_to_copies(tmp_path):
    text = with_sources('<a href="../stvae_lib/model/vlt.py#L1-L2">', tmp_path)
    assert text == '<a href="code/stvae_lib/model/vlt.py">' and (tmp_path / "extra/code/stvae_lib/model/vlt.py").exists()
