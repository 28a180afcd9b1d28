import pytest
from common import study_material

from stvae_lib.report.study.design import read_key
from stvae_lib.report.study.page import make_study


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    return study_material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="module")
def page(material, tmp_path_factory):
    """The page of a study of 12 pairs a rater, its key beside it."""
    return make_study(material, tmp_path_factory.mktemp("study") / "study.html", votes=12, size=64)[0]


@pytest.fixture(scope="module")
def key(page):
    return read_key(page.with_suffix(".key.json"))
