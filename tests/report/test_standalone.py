import json
import re

import torch

from stvae_lib.report import standalone


def test_nothing_in_json_ends_a_script():
    text = standalone.as_json({"question": "</script><b>"})
    assert "<" not in text and json.loads(text) == {"question": "</script><b>"}


def test_a_page_has_its_title_its_style_after_the_shared_one_and_its_body():
    page = standalone.standalone_page("Try", "h1 { color: red; }", "<p>$5</p>")
    assert "<title>Try · ST-VAE Notebooks</title>" in page and "<p>$5</p>" in page
    style = re.search("<style>(.*)</style>", page, re.DOTALL)[1]
    assert style.index('data-theme="dark"') < style.index("h1 { color: red; }")


def test_a_picture_is_its_own_address():
    assert standalone.picture_address(torch.zeros(1, 3, 16, 16)).startswith("data:image/jpeg;base64,/9j/")
