import re
import xml.etree.ElementTree

from common import ROOT

from stvae_lib.report import diagram
from stvae_lib.report.chapters import with_sources

LINK = "{http://www.w3.org/1999/xlink}href"


def test_every_box_leads_to_the_code_that_it_names():
    drawn = xml.etree.ElementTree.fromstring(diagram.svg())
    links = {element.get(LINK) for element in drawn.iter() if element.get(LINK, "").startswith("../")}
    boxes = [part for part in diagram.PARTS.values() if part.box]
    assert len(links) >= len(boxes) - 1  # the encoder stands twice
    for link in links:
        file, first = re.fullmatch(r"\.\./(.+)#L(\d+)-L\d+", link).groups()
        assert re.match(r"\s*(class|def|@)", (ROOT / file).read_text(encoding="utf-8").splitlines()[int(first) - 1]), link
    words = "".join(drawn.itertext())
    for part in boxes:
        assert part.box.splitlines()[0] in words and (part.ours or part.code)[0].__name__ in words


def test_the_drawing_is_always_the_same_and_says_what_it_shows():
    assert diagram.svg() == diagram.svg()
    assert f'aria-label="{diagram.ALT}"' in diagram.svg()


def test_arrows_join_what_there_is():
    names = diagram.PARTS.keys() | diagram.PICTURES.keys()
    assert {name for arrow in diagram.ARROWS for name in arrow} <= names
    assert {name for name, part in diagram.PARTS.items() if part.box} <= {name for arrow in diagram.ARROWS for name in arrow}


def test_in_the_book_its_links_lead_to_copies(tmp_path):
    text = with_sources('<a xlink:href="../stvae_lib/model/vlt.py#L1-L2">', tmp_path)
    assert text == '<a xlink:href="code/stvae_lib/model/vlt.py">' and (tmp_path / "extra/code/stvae_lib/model/vlt.py").exists()
