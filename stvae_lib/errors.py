"""The one exception a user is meant to read."""

import reprlib


class InputError(Exception):
    """Bad input, said in one line: `<file>: <what is wrong>; <what to do>`.

    The command line prints it and exits with 2; notebooks show it as the last line of the error.
    """

    def __init__(self, subject, problem: str, remedy: str):
        super().__init__(" ".join(f"{subject}: {problem}; {remedy}".splitlines()))


def one_line(error) -> str:
    """The first complaint of a pydantic ValidationError: where, what was given, and what should have been."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    said = first["msg"].removeprefix("Value error, ")
    return said if not where or first["type"] == "missing" else f"{where} = {reprlib.repr(first['input'])}: {said}"
