"""A study as a rater has it: on a phone, from a file or from `stvae study serve`, through a JupyterHub too."""

import asyncio
import json
import re
import threading

import pytest
from common import opened, study_material, study_server
from tornado import httpclient, httpserver, netutil, web

from stvae_lib.report.study import serve, votes
from stvae_lib.report.study.design import read_key
from stvae_lib.report.study.page import make_study

pytestmark = pytest.mark.slow
LONG = 120_000  # milliseconds that a busy machine may take
TOKEN = "token-of-the-test"
PHONE = {"width": 390, "height": 844}
READY = ".results[aria-busy=false]"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """A page of 16 pairs a rater: 26 steps with checks and repeats."""
    root = tmp_path_factory.mktemp("study")
    return make_study(study_material(root / "material"), root / "study.html", votes=16, size=64)[0]


@pytest.fixture
def key(page_file):
    return read_key(page_file.with_suffix(".key.json"))


@pytest.fixture
def page(watched, page_file):
    """The page, opened from its file on a phone-sized screen, which notes errors and what it asks for."""
    return opened(watched, page_file, PHONE, "#start:visible", LONG)


def vote(page, act) -> None:
    """Act on a pair once it is shown and may be answered; wait for the next."""
    page.wait_for_function("shownAt !== null && performance.now() - shownAt >= LEAST")
    before = page.evaluate("state.votes.length")
    act()
    page.wait_for_function(f"state.votes.length === {before + 1}")


def press(page, names) -> None:
    for name in names:
        vote(page, lambda name=name: page.keyboard.press(name))


def exported(page, folder):
    """The file of votes that the page hands out."""
    with page.expect_download() as download:
        page.click("#save")
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def test_twenty_votes_by_keyboard_are_exported_and_read_back_identical(page, page_file, key, tmp_path):
    page.click("#start")
    keys = ["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowRight"] * 5
    press(page, keys)
    file = exported(page, tmp_path)
    ballot, = votes.read_ballots(file, key)
    assert list(ballot.answers.values()) == page.evaluate("state.votes") == json.loads(file.read_text())["votes"]
    said = {"ArrowLeft": "left", "ArrowRight": "right", "ArrowDown": "tie"}
    assert [answer["choice"] for answer in ballot.answers.values()] == [said[name] for name in keys]
    assert [[answer["trial"], answer["swapped"]] for answer in ballot.answers.values()] == key.plans[ballot.plan][:20]
    assert (ballot.rater, ballot.simulated) == (page.evaluate("state.rater"), False)
    assert all(0.2 < answer["seconds"] < 200 for answer in ballot.answers.values())
    asked = [url for url in page.requests if not url.startswith(("data:", "blob:"))]
    assert asked == [page_file.as_uri()] and page.errors == []


def test_what_is_shown_left_and_right_is_what_the_vote_says(page, key):
    page.click("#start")
    for step in range(4):
        page.wait_for_function("shownAt !== null")
        left, right, content = (page.get_attribute(f"#{name}", "src") for name in ("left", "right", "content"))
        trial, swapped = key.plans[page.evaluate("state.plan")][step]
        numbers, pictures = page.evaluate("shown.trials")[trial], page.evaluate("shown.pictures")
        assert [content, left, right] == [pictures[numbers[0]], pictures[numbers[2 + swapped]], pictures[numbers[3 - swapped]]]
        press(page, ["ArrowLeft"])


def test_votes_survive_a_reload_and_the_end_is_the_end(page, key, tmp_path):
    page.click("#start")
    vote(page, lambda: page.click("[data-choice=left]"))
    vote(page, lambda: page.click("[data-choice=tie]"))
    before = page.evaluate("[state.rater, state.votes]")
    page.reload()
    page.wait_for_selector(READY)
    assert page.evaluate("[state.rater, state.votes]") == before and page.text_content("#step") == "Pair 3 of 26"
    press(page, ["ArrowRight"] * 24)
    page.locator("#done").wait_for()
    page.keyboard.press("ArrowRight")
    assert page.locator("#voting").is_hidden() and page.locator("#next").is_hidden()
    ballot, = votes.read_ballots(exported(page, tmp_path), key)
    assert len(ballot.answers) == 26
    page.click("#next")
    page.locator("#welcome").wait_for()
    assert page.evaluate("state.rater") != ballot.rater and page.evaluate("state.votes") == []
    assert page.errors == []


def test_nothing_is_voted_before_consent_nor_by_a_key_that_is_held(page):
    page.keyboard.press("ArrowLeft")
    assert page.locator("#voting").is_hidden() and page.evaluate("state.votes") == []
    page.click("#start")
    press(page, ["ArrowLeft"])
    page.wait_for_function("shownAt !== null && performance.now() - shownAt >= LEAST")
    page.keyboard.down("ArrowDown")  # the first counts
    for _ in range(5):
        page.keyboard.down("ArrowDown")  # what a held key sends
    page.keyboard.press("Control+ArrowLeft")
    assert len(page.evaluate("state.votes")) == 2


def test_a_browser_that_keeps_nothing_says_so_and_works(browser, page_file):
    page = browser.new_page(viewport=PHONE)
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })")
    page.goto(page_file.as_uri())
    page.wait_for_selector("#start:visible", timeout=LONG)
    assert "keeps nothing" in page.text_content("#keeps")
    page.click("#start")
    press(page, ["ArrowLeft"])
    page.close()


CONTRAST = """() => {
  const light = (rgb) => { const [r, g, b] = rgb.match(/[\\d.]+/g).map((v) => (v /= 255) <= 0.03928 ? v / 12.92
    : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (node) => { const colour = getComputedStyle(node).backgroundColor;
    return /, 0\\)$/.test(colour) && node.parentElement ? ground(node.parentElement) : colour; };
  const texts = document.querySelectorAll("h1, p, li, span, button, figcaption");
  return [...texts].filter((node) => node.offsetParent && node.innerText).map((node) => {
    const [a, b] = [getComputedStyle(node).color, ground(node)].map(light);
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.innerText.slice(0, 30)]; });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_room_for_it_and_all_can_be_read(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    assert min(page.evaluate(CONTRAST))[0] >= 4.5
    page.click("#start")
    page.wait_for_selector(READY)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    tie = page.locator("[data-choice=tie]").bounding_box()
    assert tie["y"] + tie["height"] <= PHONE["height"], "all answers are seen without scrolling"
    sides = [page.locator(f"[data-choice={side}]").bounding_box() for side in ("left", "right")]
    assert sides[0]["x"] + sides[0]["width"] < sides[1]["x"] and min(min(box["height"], box["width"]) for box in sides) > 44
    assert min(page.evaluate(CONTRAST))[0] >= 4.5
    images = page.locator("#voting img")
    assert all(images.nth(index).get_attribute("alt") for index in range(images.count())) and images.count() == 4


def test_it_can_be_done_by_tab_and_enter(page):
    page.locator("#start").press("Enter")
    page.wait_for_selector(READY)
    assert page.evaluate("document.activeElement.id") == "step", "no answer has the focus, so that a second Enter is none"
    for choice in ("left", "right", "tie"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.dataset.choice") == choice
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    vote(page, lambda: page.keyboard.press("Enter"))
    assert outline == "solid" and page.evaluate("state.votes[0].choice") == "tie"


@pytest.fixture
def served(page_file, tmp_path):
    """A function that starts a server on the same port and file as often as wanted, and one that stops it."""
    running = []

    def stop():
        server, thread = running.pop()
        server.shutdown()
        server.server_close()
        server.collector.stream.close()
        thread.join()

    def start(port: int = 0) -> int:
        server = serve.make_server(page_file, tmp_path / "votes.jsonl", "127.0.0.1", port, TOKEN)
        running.append((server, threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})))
        running[-1][1].start()
        return server.server_address[1]

    yield start, stop
    if running:
        stop()


def test_a_served_page_sends_its_votes_through_a_break_of_the_server(watched, served, key, tmp_path):
    start, stop = served
    port = start()
    watched.set_default_timeout(LONG)
    watched.goto(f"http://127.0.0.1:{port}/{TOKEN}/")
    watched.click("#start")
    press(watched, ["ArrowLeft"] * 3)
    watched.locator("#status", has_text="All your votes have arrived").wait_for()
    stop()
    press(watched, ["ArrowRight"] * 2)
    watched.locator("#status", has_text="does not answer").wait_for()
    start(port)
    watched.locator("#status", has_text="All your votes have arrived").wait_for()
    ballot, = votes.read_ballots(tmp_path / "votes.jsonl", key)
    assert list(ballot.answers.values()) == watched.evaluate("state.votes") and len(ballot.answers) == 5
    assert all(url.startswith((f"http://127.0.0.1:{port}/{TOKEN}/", "data:")) for url in watched.requests)


def test_a_rater_whose_browser_dies_loses_no_vote_and_disturbs_no_other(browser, served, key, tmp_path):
    start, _ = served
    address = f"http://127.0.0.1:{start()}/{TOKEN}/"
    raters = [browser.new_context(viewport=PHONE).new_page() for _ in range(2)]
    for rater in raters:
        rater.set_default_timeout(LONG)
        rater.goto(address)
        rater.click("#start")
    for _ in range(3):
        for rater in raters:
            press(rater, ["ArrowLeft"])
    gone, other = raters
    arrived = gone.evaluate("[state.rater, state.sent]")
    with pytest.raises(Exception, match="crash"):
        gone.goto("chrome://crash")  # the process behind the page is killed
    press(other, ["ArrowRight"] * 23)
    other.locator("#done").wait_for()
    other.locator("#status", has_text="All your votes have arrived").wait_for()
    again = gone.context.new_page()
    again.set_default_timeout(LONG)
    again.goto(address)
    again.locator("#status", has_text="All your votes have arrived").wait_for()
    assert again.evaluate("[state.rater, state.votes.length]") == [arrived[0], 3] and arrived[1] <= 3
    press(again, ["ArrowDown"])
    again.locator("#status", has_text="All your votes have arrived").wait_for()
    kept = {ballot.rater: list(ballot.answers.values()) for ballot in votes.read_ballots(tmp_path / "votes.jsonl", key)}
    assert kept == {page.evaluate("state.rater"): page.evaluate("state.votes") for page in (again, other)}
    assert sorted(map(len, kept.values())) == [4, 26]


class Proxied(web.RequestHandler):
    """What a JupyterHub with jupyter-server-proxy does: /user/ada/proxy/PORT/PATH is asked of that port as /PATH, by whoever
    is logged in."""

    async def forward(self, port, path):
        if not self.settings["session"]["open"]:
            self.redirect("/hub/login")
            return
        request = httpclient.HTTPRequest(f"http://127.0.0.1:{port}/{path}", self.request.method, self.request.headers,
                                         self.request.body or None, follow_redirects=False, decompress_response=False)
        answer = await httpclient.AsyncHTTPClient().fetch(request, raise_error=False)
        if answer.code == 599:  # nobody listens
            self.send_error(500)
            return
        self.set_status(answer.code)
        for name in ("Content-Type", "Cache-Control", "Referrer-Policy", "X-Content-Type-Options"):
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        self.finish(answer.body)

    get = post = forward


class Login(web.RequestHandler):
    def get(self):
        self.finish("<h1>Log in</h1>")


@pytest.fixture
def hub():
    """A stand-in for a hub: its address, and a dict whose "open" says whether one is logged in."""
    sockets, session = netutil.bind_sockets(0, "127.0.0.1"), {"open": True}
    loop = asyncio.new_event_loop()

    def run():
        asyncio.set_event_loop(loop)
        application = web.Application([(r"/user/ada/proxy/(\d+)/(.*)", Proxied), (r"/hub/login", Login)], session=session)
        server = httpserver.HTTPServer(application)
        loop.call_soon(server.add_sockets, sockets)
        loop.run_forever()
        server.stop()
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}", session
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_votes_arrive_through_a_hub_and_its_login_page_is_no_receipt(watched, hub, page_file, key, tmp_path):
    (address, session), file = hub, tmp_path / "votes.jsonl"
    process, said = study_server(page_file, file, TOKEN, JUPYTERHUB_SERVICE_PREFIX="/user/ada/")
    prefix, port = re.fullmatch(r"Through JupyterHub: (/user/ada/proxy/(\d+)/.+/) at the hub's address\n", said[1]).groups()
    try:
        watched.set_default_timeout(LONG)
        watched.goto(address + prefix)
        watched.click("#start")
        press(watched, ["ArrowLeft"] * 3)
        watched.locator("#status", has_text="All your votes have arrived").wait_for()
        session["open"] = False
        press(watched, ["ArrowRight"] * 2)
        watched.locator("#status", has_text="does not answer").wait_for()
        assert watched.evaluate("state.sent") == 3
        session["open"] = True
        watched.locator("#status", has_text="All your votes have arrived").wait_for()
        process.kill()
        process.wait()
        press(watched, ["ArrowDown"])
        watched.locator("#status", has_text="does not answer").wait_for()
        process, _ = study_server(page_file, file, TOKEN, "--port", port)
        watched.locator("#status", has_text="All your votes have arrived").wait_for()
        ballot, = votes.read_ballots(file, key)
        assert list(ballot.answers.values()) == watched.evaluate("state.votes") and len(ballot.answers) == 6
    finally:
        process.kill()
        process.wait()
    assert all(url.startswith((address + prefix, f"{address}/hub/login", "data:")) for url in watched.requests)
