"""The browser that every test here drives, and pages that note what they ask for."""

import json
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install -e '.[test]')")
    if CHROMIUM is None:
        pytest.skip("needs a Chromium on the PATH (apt install chromium)")
    with playwright.sync_playwright() as tools:
        started = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def own_jupyter(tmp_path, monkeypatch):
    """A JupyterLab with none of a reader's settings and tabs, without nbgrader's extension, which fills the toolbar, and with
    every cell drawn: as it comes, it draws only those in view, so that what is found hangs on the scroll."""
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    settings = {"labconfig/page_config.json": {"disabledExtensions": {"@jupyter/nbgrader": True}},
                "lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"}}
    for name, values in settings.items():
        file = tmp_path / "jupyter" / name
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(values))


@pytest.fixture
def watched(browser):
    """A page that notes console errors and requests."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.errors, page.requests = [], []
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    page.close()
