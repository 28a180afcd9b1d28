"""A small server for a class: it hands out a study's page and keeps every vote before it says so.

Votes are lines of one file, each on the disk (fsync) before its rater's page is told; a killed server loses none of those.
"""

import errno
import hmac
import json
import os
import re
import secrets
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import InputError
from .design import Study
from .page import VOTES, read_page
from .votes import Ballot, Refused, checked, parsed, read_ballots

LARGEST = 65_536   # bytes of a request: a vote has some 300
TOKEN = re.compile(r"[\w-]{8,}", re.ASCII)
PATIENCE = 30      # seconds that a slow sender has


class Collector:
    """Votes of one study in a file, which a second server on the same file goes on with."""

    def __init__(self, study: Study, file: Path):
        self.study, self.file, self.lock = study, file, threading.Lock()
        self.ballots: dict[str, Ballot] = {}
        if file.suffix != ".jsonl":
            raise InputError(file, "is no name for votes", "end it in .jsonl")
        if file.exists():
            self.ballots = {ballot.rater: ballot for ballot in read_ballots(file, study)}
        try:
            self.stream = open(file, "ab", buffering=0)  # noqa: SIM115 - open as long as the server runs
            whole = file.read_bytes().rfind(b"\n") + 1
            self.stream.truncate(whole)  # a line that a kill cut off was never acknowledged
        except OSError as error:
            raise InputError(file, f"cannot be written ({error.strerror})", "choose a writable file by -o") from None

    def keep(self, text: str) -> None:
        """Votes of one rater onto the disk; those that are there already, because an answer was lost, are no fault.
        Raises Refused on votes that are not this study's, OSError where the disk does not take them."""
        found = parsed(text)
        ballot = checked(found, self.study)
        if ballot.simulated:
            raise Refused("is simulated")
        with self.lock:
            known = self.ballots.get(ballot.rater, Ballot(ballot.rater, ballot.plan, False, {}))
            merged = Ballot(known.rater, known.plan, False, dict(known.answers))
            new = merged.take(ballot)
            if max(merged.answers) >= len(merged.answers):
                raise Refused("lacks the votes before it")
            if new:
                self._append(json.dumps(found | {"votes": new}).encode() + b"\n")
            self.ballots[ballot.rater] = merged

    def _append(self, line: bytes) -> None:
        end = os.fstat(self.stream.fileno()).st_size
        try:
            if self.stream.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self.stream.fileno())
        except OSError:
            os.ftruncate(self.stream.fileno(), end)  # a full disk leaves no half line before the next
            raise

    def counted(self) -> str:
        with self.lock:
            return f"{len(self.ballots)} raters, {sum(len(ballot.answers) for ballot in self.ballots.values())} votes"


class Handler(BaseHTTPRequestHandler):
    """`…/TOKEN/` is the page and `…/TOKEN/votes` takes votes, whatever a proxy puts before; `…/TOKEN` leads there; all else is
    not found."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server: "StudyServer"

    def do_GET(self):
        name = self._asked()
        if name == "":
            self._answer(HTTPStatus.OK, self.server.page, "text/html; charset=utf-8")
        elif name == "votes":
            self._answer(HTTPStatus.OK, json.dumps({"study": self.server.collector.study.study}).encode(), "application/json")
        elif self._is_token(urlsplit(self.path).path.split("/")[-1]):  # typed without the slash at its end
            self._answer(HTTPStatus.MOVED_PERMANENTLY, b"", location=f"{self.server.token}/")
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"not found")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        self.close_connection = True  # what is left unread must not be taken for the next request
        if self._asked() != "votes":
            return self._answer(HTTPStatus.NOT_FOUND, b"not found")
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST:
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"too large")
        text = self.rfile.read(int(length)).decode("utf-8", "replace")
        try:
            self.server.collector.keep(text)
        except Refused as reason:
            return self._answer(HTTPStatus.BAD_REQUEST, f"This vote {reason}".encode())
        except OSError as error:
            print(f"stvae: {self.server.collector.file}: a vote cannot be written ({error.strerror})", flush=True)
            return self._answer(HTTPStatus.INSUFFICIENT_STORAGE, b"the vote cannot be kept now")
        self._answer(HTTPStatus.OK, b"kept")

    def _asked(self) -> str | None:
        """What stands behind the token in the address; None where the token is missing or wrong."""
        *_, token, name = ["", *urlsplit(self.path).path.split("/")]
        return name if self._is_token(token) else None

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.server.token.encode())

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8", location: str | None = None):
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: a log would hold addresses of raters."""


class StudyServer(ThreadingHTTPServer):
    """The page, its token, and the votes."""

    daemon_threads = True
    request_queue_size = 128  # a class presses its keys together

    collector: Collector

    def __init__(self, address: tuple[str, int], page: bytes, token: str):
        super().__init__(address, Handler)
        self.page, self.token = page, token

    def handle_error(self, request, client_address):
        """A rater who left in the middle of an answer is no error to tell of."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def make_server(page, file, host: str, port: int, token: str) -> StudyServer:
    """A server that is not running yet. Raises InputError on a page or votes that are none, and on a port that is taken."""
    page = Path(page)
    if not TOKEN.fullmatch(token):
        raise InputError(f"--token {token}", "is no token", "give 8 or more letters, digits, - and _, or leave it out")
    study = read_page(page)
    try:  # before the file is opened: it may be that of the server which has the port
        server = StudyServer((host, port), page.read_bytes(), token)
    except (OSError, OverflowError) as error:
        raise InputError(f"{host}:{port}", f"cannot be listened on ({error})", "choose another --host or --port") from None
    try:
        server.collector = Collector(study, Path(file))
    except InputError:
        server.server_close()
        raise
    return server


def serve(page, file=None, host: str = "127.0.0.1", port: int = 0, token: str | None = None) -> None:
    """Collect votes until Ctrl-C and say where. file: of votes, by default beside the page as .votes.jsonl; votes that are
    there are kept. port: 0 takes a free one. token: in the address, random where none is given."""
    token, file = token or secrets.token_urlsafe(16), file or Path(page).with_suffix(VOTES)
    with make_server(page, file, host, port, token) as server:
        port = server.server_address[1]
        name = socket.gethostname() if host in ("", "0.0.0.0") else host
        print(f"Raters open http://{name}:{port}/{token}/")
        if prefix := os.environ.get("JUPYTERHUB_SERVICE_PREFIX"):
            print(f"Through JupyterHub: {prefix}proxy/{port}/{token}/ at the hub's address")
        print(f"Votes go to {file} ({server.collector.counted()}). The same address after a stop: --port {port} --token {token}",
              flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print(f"\n{file}: {server.collector.counted()}")
