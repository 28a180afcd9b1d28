from common import ROOT

from stvae_lib import provenance
from stvae_lib.pictures import colour


def test_lines_of_a_function_lead_to_it():
    file, lines = provenance.lines_of(colour.keep).split("#")
    first, last = (int(mark[1:]) for mark in lines.split("-"))
    text = (ROOT / file).read_text(encoding="utf-8").splitlines()
    assert text[first - 1].startswith("def keep(") and text[last - 1].startswith("    return")
