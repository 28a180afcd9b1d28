"""Values by name, as a user wrote them, checked by pydantic against the dataclass that they are to fill."""

import reprlib
from dataclasses import fields

from pydantic import ConfigDict, ValidationError

from .errors import InputError

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)  # of what stands in a file
TYPED = ConfigDict(extra="forbid", allow_inf_nan=False)  # of what was typed: a list may be a tuple's


def complaint(error: ValidationError, prefix: str = "") -> tuple[str, str]:
    """The first thing that an error is about: what is wrong, with names under `prefix`, and what should be."""
    first = error.errors(include_url=False)[0]
    where = prefix + ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"lacks {where}", "add it"
    said = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return f"has {where} = {reprlib.repr(first['input'])}", said


def checked(kind, values, subject, prefix: str = ""):
    """A pydantic dataclass of some values by name; InputError in one line, about `subject`, where they make none."""
    if not isinstance(values, dict):
        raise InputError(subject, f"has {prefix.rstrip('.')} = {reprlib.repr(values)}", "give an object with entries")
    known = [entry.name for entry in fields(kind)]
    for key in values:
        if key not in known:
            raise InputError(subject, f"has the unknown key {prefix}{reprlib.repr(key)}", f"known: {', '.join(known)}")
    try:
        return kind(**values)
    except ValidationError as error:
        raise InputError(subject, *complaint(error, prefix)) from None
    except InputError as error:
        raise InputError(subject, "has entries that do not go together", str(error)) from None
