"""The one exception a user is meant to read."""


class InputError(Exception):
    """Bad input, said in one line: `<file>: <what is wrong>; <what to do>`.

    The command line prints it and exits with 2; notebooks show it as the last line of the error.
    """

    def __init__(self, subject, problem: str, remedy: str):
        super().__init__(" ".join(f"{subject}: {problem}; {remedy}".splitlines()))
