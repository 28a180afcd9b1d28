"""The one exception a user is meant to read, and warnings in the same form."""

import sys


class InputError(Exception):
    """Bad input, said in one line: `<file>: <what is wrong>; <what to do>`.

    The command line prints it and exits with 2; notebooks show it as the last line of the error.
    """

    def __init__(self, subject, problem: str, remedy: str):
        super().__init__(subject, problem, remedy)  # all three, as processes hand it on by what it was made of

    def __str__(self) -> str:
        return " ".join("{}: {}; {}".format(*self.args).splitlines())


class NoRoom(InputError):
    """A disk that is full, or cannot be written at all: whatever else is to go there will fail, too."""


def lacks_memory(error: Exception) -> bool:
    """Whether an error, perhaps in torch's words, is that of too little memory."""
    told = ("can't allocate memory", "DefaultCPUAllocator", "out of memory")
    return isinstance(error, MemoryError) or isinstance(error, RuntimeError) and any(words in str(error) for words in told)


def memory_error(subject) -> InputError:
    """What to say then."""
    return InputError(subject, "takes more memory than there is", "give a smaller --size, or a smaller --max-memory")


def show_warning(message, *rest, **more) -> None:
    """A warning in the form of an error's line, on a line of its own also beside a progress bar."""
    from tqdm.auto import tqdm

    tqdm.write(f"stvae: {message}", file=sys.stderr)
