"""The server, in a process of its own where it is to be killed."""

import http.client
import json
import re
import threading
import time
from urllib.parse import urljoin

import pytest
from common import study_server

from stvae_lib.errors import InputError
from stvae_lib.report.study import serve, votes
from stvae_lib.report.study.page import read_page
from stvae_lib.report.study.simulate import simulated_ballots

TOKEN = "token-of-the-test"
STRENGTHS = {"vgg19-slim": 1.0, "wct": 0.0, "adain": -1.0}


@pytest.fixture
def ballots(key):
    """Two raters as a page would write them."""
    return [ballot | {"simulated": False} for ballot in simulated_ballots(key, STRENGTHS, raters=2)]


@pytest.fixture
def running(page, tmp_path):
    """A server in a thread, and a function that asks it: (status, body)."""
    server = serve.make_server(page, tmp_path / "votes.jsonl", "127.0.0.1", 0, TOKEN)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    server.ask = lambda *arguments, **options: asked(server.server_address[1], *arguments, **options)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asked(port, method, path, body=None, headers=()) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def single(ballot, step) -> str:
    return json.dumps(ballot | {"votes": [ballot["votes"][step]]})


def test_it_hands_out_the_page_to_whoever_has_the_token(running, page):
    assert running.ask("GET", f"/{TOKEN}/") == (200, page.read_bytes())
    assert running.ask("GET", f"/user/ada/proxy/8000/{TOKEN}/") == (200, page.read_bytes()), "a proxy may put its own path before"
    assert json.loads(running.ask("GET", f"/{TOKEN}/votes")[1]) == {"study": read_page(page).study}
    for path in ("/", "/votes", "/wrong-token/", "/wrong-token/votes", "/wrong-token", f"/{TOKEN}/key", f"/{TOKEN}/../", "/%ff/"):
        assert running.ask("GET", path)[0] == 404, path
    assert running.ask("POST", "/wrong-token/votes", "{}")[0] == 404


@pytest.mark.parametrize("before", ["", "/user/ada/proxy/8000"])
def test_an_address_without_the_slash_at_its_end_leads_to_the_page(running, before):
    connection = http.client.HTTPConnection("127.0.0.1", running.server_address[1], timeout=20)
    connection.request("GET", f"{before}/{TOKEN}")
    answer = connection.getresponse()
    assert answer.status == 301 and urljoin(f"http://x{before}/{TOKEN}", answer.headers["Location"]) == f"http://x{before}/{TOKEN}/"
    connection.close()


def test_a_vote_is_on_the_disk_when_it_is_acknowledged(running, ballots, tmp_path, key):
    for step in range(3):
        assert running.ask("POST", f"/{TOKEN}/votes", single(ballots[0], step)) == (200, b"kept")
        ballot, = votes.read_ballots(tmp_path / "votes.jsonl", key)
        assert list(ballot.answers.values()) == ballots[0]["votes"][:step + 1]
    assert running.ask("POST", f"/{TOKEN}/votes", single(ballots[0], 1))[0] == 200, "sent again: its answer was lost"
    assert len((tmp_path / "votes.jsonl").read_text().splitlines()) == 3
    assert running.collector.counted() == "1 raters, 3 votes"


def test_what_is_no_vote_of_this_study_is_refused_and_leaves_no_trace(running, ballots, tmp_path):
    turned = single(ballots[0], 0).replace('"left"', '"x"').replace('"right"', '"left"').replace('"x"', '"right"').replace(
        '"tie"', '"left"')
    assert running.ask("POST", f"/{TOKEN}/votes", single(ballots[0], 0))[0] == 200
    before = (tmp_path / "votes.jsonl").read_bytes()
    for body, said in (("{", "is not whole JSON"), (single(ballots[0] | {"study": "0" * 64}, 1), "another study"),
                       (single(ballots[0], 2), "lacks the votes before"), (turned, "in two ways"),
                       (single(ballots[1] | {"simulated": True}, 0), "is simulated")):
        status, answer = running.ask("POST", f"/{TOKEN}/votes", body)
        assert status == 400 and said in answer.decode()
    assert running.ask("POST", f"/{TOKEN}/votes", "x" * 70_000)[0] == 413
    assert running.ask("POST", f"/{TOKEN}/votes", headers={"Content-Length": "-1"})[0] == 413
    assert (tmp_path / "votes.jsonl").read_bytes() == before


def test_a_disk_that_takes_nothing_acknowledges_nothing(running, ballots, tmp_path, monkeypatch, capsys):
    def full(_):
        raise OSError(28, "No space left on device")

    assert running.ask("POST", f"/{TOKEN}/votes", single(ballots[0], 0))[0] == 200
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        assert running.ask("POST", f"/{TOKEN}/votes", single(ballots[0], 1))[0] == 507
    assert len((tmp_path / "votes.jsonl").read_text().splitlines()) == 1 and "No space left" in capsys.readouterr().out
    assert running.ask("POST", f"/{TOKEN}/votes", single(ballots[0], 1))[0] == 200


def test_a_new_server_goes_on_with_the_file_and_drops_a_cut_line(page, key, ballots, tmp_path):
    file = tmp_path / "votes.jsonl"
    first = serve.Collector(key, file)
    first.keep(single(ballots[0], 0))
    first.stream.close()
    file.write_bytes(file.read_bytes() + single(ballots[0], 1).encode()[:40])
    second = serve.Collector(key, file)
    second.keep(single(ballots[0], 1))
    second.stream.close()
    assert list(votes.read_ballots(file, key)[0].answers.values()) == ballots[0]["votes"][:2]


@pytest.mark.parametrize("file, token, said", [("votes.json", TOKEN, "end it in .jsonl"), ("votes.jsonl", "a/b", "is no token"),
                                               ("missing/votes.jsonl", TOKEN, "cannot be written")])
def test_bad_options_are_refused(page, tmp_path, file, token, said):
    with pytest.raises(InputError, match=said):
        serve.make_server(page, tmp_path / file, "127.0.0.1", 0, token)


def test_a_port_that_is_taken_and_a_page_that_is_none_are_refused(running, page, tmp_path):
    with pytest.raises(InputError, match="cannot be listened on"):
        serve.make_server(page, tmp_path / "other.jsonl", "127.0.0.1", running.server_address[1], TOKEN)
    assert not (tmp_path / "other.jsonl").exists()
    (tmp_path / "page.html").write_text("<html>")
    with pytest.raises(InputError, match="is no page of a study"):
        serve.make_server(tmp_path / "page.html", tmp_path / "third.jsonl", "127.0.0.1", 0, TOKEN)


def test_a_second_server_on_a_taken_port_leaves_the_votes_of_the_first(running, page, key, ballots, tmp_path):
    """Its file is still empty then."""
    with pytest.raises(InputError, match="cannot be listened on"):
        serve.make_server(page, tmp_path / "votes.jsonl", "127.0.0.1", running.server_address[1], TOKEN)
    assert running.ask("POST", f"/{TOKEN}/votes", single(ballots[0], 0)) == (200, b"kept")
    assert len(votes.read_ballots(tmp_path / "votes.jsonl", key)) == 1


def test_a_file_that_is_refused_gives_the_port_back(page, tmp_path):
    with serve.make_server(page, tmp_path / "votes.jsonl", "127.0.0.1", 0, TOKEN) as server:
        port = server.server_address[1]
    with pytest.raises(InputError, match="cannot be written"):
        serve.make_server(page, tmp_path / "missing" / "votes.jsonl", "127.0.0.1", port, TOKEN)
    serve.make_server(page, tmp_path / "votes.jsonl", "127.0.0.1", port, TOKEN).server_close()


def started(page, file, *options):
    """`stvae study serve` in a process of its own, and its port."""
    process, lines = study_server(page, file, TOKEN, *options)
    return process, int(re.fullmatch(rf"Raters open http://127\.0\.0\.1:(\d+)/{TOKEN}/\n", lines[0])[1])


class Rater(threading.Thread):
    """Sends a ballot vote by vote, as the page does: again until it is acknowledged."""

    def __init__(self, port, ballot):
        super().__init__()
        self.port, self.ballot, self.acknowledged, self.failures = port, ballot, [], 0

    def run(self):
        step, until = 0, time.monotonic() + 300
        while step < len(self.ballot["votes"]) and time.monotonic() < until:
            try:
                status, _ = asked(self.port, "POST", f"/{TOKEN}/votes", single(self.ballot, step))
            except (OSError, http.client.HTTPException):
                self.failures += 1
                time.sleep(0.1)
                continue
            assert status == 200
            self.acknowledged.append(self.ballot["votes"][step])
            step += 1
            time.sleep(0.02)


@pytest.mark.slow
def test_two_raters_at_once_and_a_server_killed_in_between_lose_nothing(page, key, ballots, tmp_path):
    file = tmp_path / "votes.jsonl"
    process, port = started(page, file)
    raters = [Rater(port, ballot) for ballot in ballots]
    try:
        for rater in raters:
            rater.start()
        while min(len(rater.acknowledged) for rater in raters) < 4:
            time.sleep(0.01)
        process.kill()  # SIGKILL
        process.wait()
        acknowledged = {rater.ballot["rater"]: list(rater.acknowledged) for rater in raters}
        assert all(4 <= len(known) < len(ballots[0]["votes"]) for known in acknowledged.values()), "it was killed in between"
        kept = {ballot.rater: list(ballot.answers.values()) for ballot in votes.read_ballots(file, key)}
        for rater, known in acknowledged.items():
            assert kept[rater][:len(known)] == known
        process, _ = started(page, file, "--port", str(port))
        for rater in raters:
            rater.join()
    finally:
        process.kill()
        process.wait()
    assert all(rater.failures for rater in raters)
    kept = {ballot.rater: list(ballot.answers.values()) for ballot in votes.read_ballots(file, key)}
    assert kept == {ballot["rater"]: ballot["votes"] for ballot in ballots}
