"""The browser that every test here drives, pages that note what they ask for, and what looks for barriers in them."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

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


AXE = "axe-core-4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="


SETTLED = """document.getAnimations().filter((moving) => isFinite(moving.effect.getComputedTiming().endTime))
    .forEach((moving) => moving.finish())"""


@pytest.fixture(scope="session")
def barriers(tmp_path_factory):
    """Gives the serious barriers that axe-core finds in a page for people who see or move otherwise, in words; skips where npm
    cannot fetch it."""
    kept = Path.home() / ".cache" / "stvae" / f"{AXE}.tgz"
    if not kept.exists():
        npm = shutil.which("npm") or shutil.which("npm", path=str(Path(sys.executable).parent))
        folder = tmp_path_factory.mktemp("axe")
        name = AXE.replace("core-", "core@")
        if npm is None or subprocess.run([npm, "pack", name, "--pack-destination", str(folder)], capture_output=True).returncode:
            pytest.skip("needs axe-core, which npm fetches once")
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / f"{AXE}.tgz", kept)
    assert "sha512-" + base64.b64encode(hashlib.sha512(kept.read_bytes()).digest()).decode() == INTEGRITY
    with tarfile.open(kept) as archive:
        script = archive.extractfile("package/axe.min.js").read().decode()

    def found(page) -> list[str]:
        page.evaluate(script)
        page.evaluate(SETTLED)  # a colour half-way from one scheme to the other is nobody's contrast
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in result["violations"]
                if entry["impact"] in ("serious", "critical")]

    return found


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
