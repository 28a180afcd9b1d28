"""`stvae stylize`, `encode` and `sheet`: photographs in styles, from files, folders and standard input."""

import io
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tqdm.auto import tqdm

from .errors import InputError
from .files import make_folder, refuse_overwriting, shortened, sweep
from .model import weights
from .model.mixing import CODE_SUFFIX, check_code_file, load_code, save_code
from .model.stvae import STVAE, check_strength, normalised_mix
from .pictures import colour
from .pictures.images import (
    check_output,
    list_images,
    load_image,
    output_names,
    reason_to_skip,
    resized,
    save_image,
    to_png,
)

STREAM = Path("-")  # standard input in place of a picture's file, standard output in place of a result's
STYLE_SIZE = 512


@dataclass
class Outcome:
    """What became of the photographs: files done (with their results), skipped and failed (with why)."""

    done: list[dict] = field(default_factory=list)
    skipped: list[dict] = field(default_factory=list)
    failed: list[dict] = field(default_factory=list)

    def line(self) -> str:
        """How many of each, with the reasons to skip."""
        reasons = Counter(entry["reason"] for entry in self.skipped)
        why = f" ({', '.join(f'{count} {reason}' for reason, count in reasons.most_common())})" if reasons else ""
        return f"{len(self.done)} done, {len(self.skipped)} skipped{why}, {len(self.failed)} failed"


def stylize(arguments) -> int:
    """One photograph, or every one of a folder; returns the exit status. Whatever is wrong with more than one photograph is
    found before the first."""
    targets, outcome = find_targets(arguments.photo, arguments.out)
    check_streams(arguments)
    refuse_overwriting(set(targets.values()) - {STREAM}, {*targets, *arguments.styles} - {STREAM})
    if not 1 <= arguments.oversample <= 4:
        raise InputError(f"--oversample {arguments.oversample:g}", "is out of range", "give a factor from 1 to 4")
    check_strength(arguments.strength)
    mix = normalised_mix(arguments.mix, len(arguments.styles))
    folder = arguments.photo != STREAM and arguments.photo.is_dir()
    if not folder and arguments.out != STREAM:
        check_output(arguments.out)
    model = weights.load_stvae(arguments.model, arguments.device)
    codes = [style_code(style, model) for style in arguments.styles]

    def one(source: Path, target: Path):
        output = stylized(model, source, codes, mix, arguments, target)
        if target == STREAM:
            sys.stdout.buffer.write(to_png(output))
        else:
            save_image(output, target)

    if folder:
        stylize_folder(targets, arguments.out, one, outcome)
    else:
        one(arguments.photo, arguments.out)
        outcome.done.append({"photo": str(arguments.photo), "file": str(arguments.out)})
    if arguments.json:
        print(json.dumps(vars(outcome), indent=1, ensure_ascii=False))
    elif folder:
        print(f"{arguments.out}: {outcome.line()}")
    return 1 if outcome.failed else 0


def stylized(model: STVAE, source: Path, codes, mix, arguments, target: Path) -> torch.Tensor:
    """A photograph as the arguments want it, `(1, 3, H, W)`, of its own size or the one asked for."""
    data = None if source != STREAM else sys.stdin.buffer.read()
    content = opened(source, arguments.size, data)
    size = content.shape[2:]
    if target != STREAM:
        check_output(target, size[::-1])
    larger = content
    if arguments.oversample > 1:
        wanted = tuple(round(arguments.oversample * side) for side in size)
        larger = resized(opened(source, max(wanted), data), wanted)
    generator = torch.Generator().manual_seed(arguments.seed)
    output = resized(model.stylize(larger, codes, mix, arguments.strength, arguments.sample, generator), size).cpu()
    return colour.keep(content, output, "lab") if arguments.preserve_colour else output


def opened(file: Path, size: int | None, data: bytes | None = None) -> torch.Tensor:
    """A picture `(1, 3, H, W)` from its file, or from what standard input gave."""
    return load_image(file, size) if data is None else load_image(io.BytesIO(data), size, "standard input")


def check_streams(arguments) -> None:
    """InputError where standard input or output would have to serve two purposes."""
    if [arguments.photo, *arguments.styles].count(STREAM) > 1:
        raise InputError("-", "stands for more than one picture", "standard input can be read once: name files")
    if arguments.out == STREAM and arguments.json:
        raise InputError("--json", "would be mixed with the picture on standard output", "name a file by -o")
    if arguments.out == STREAM and sys.stdout.isatty():
        raise InputError("-o -", "would fill the terminal with a picture", "redirect it: > out.png")


def find_targets(photo: Path, out: Path) -> tuple[dict[Path, Path], Outcome]:
    """Where the result of every photograph goes: one file, or for a folder of them a folder, another one; and what of the
    folder is skipped."""
    outcome = Outcome()
    if photo == STREAM or not photo.is_dir():
        return {photo: out}, outcome
    if out == STREAM:
        raise InputError("-o -", "is given for a folder of photographs", "name a folder")
    if out.exists() and out.samefile(photo):
        raise InputError(out, "is the folder of the photographs", "choose another folder by -o")
    reasons = {file: reason_to_skip(file) for file in sorted(photo.iterdir())}
    outcome.skipped = [{"file": str(file), "reason": reason} for file, reason in reasons.items() if reason]
    return {file: out / f"{name}.png" for file, name in output_names(list_images(photo)).items()}, outcome


def stylize_folder(targets: dict[Path, Path], out: Path, one, outcome: Outcome) -> None:
    """Every file of a folder; a bad one is reported at the end and the others are done."""
    make_folder(out)
    sweep(out)
    for file, target in tqdm(targets.items(), unit="image"):
        try:
            one(file, target)
            outcome.done.append({"photo": str(file), "file": str(target)})
        except InputError as error:
            outcome.failed.append({"file": str(file), "error": str(error)})
    for entry in outcome.failed:
        print(f"stvae: {entry['error']}", file=sys.stderr)


def style_code(file: Path, model: STVAE):
    """A style from a picture, from standard input, or from a file that `stvae encode` wrote."""
    if file.suffix == CODE_SUFFIX:
        return load_code(file, model)
    return model.encode_style(opened(file, STYLE_SIZE, None if file != STREAM else sys.stdin.buffer.read()))


def encode(arguments) -> None:
    """A painting's style as a small file."""
    check_code_file(arguments.out, arguments.force)
    refuse_overwriting([arguments.out], [arguments.style])
    model = weights.load_stvae(arguments.model, arguments.device)
    save_code(style_code(arguments.style, model), arguments.out, model)


def write_sheet(arguments) -> None:
    """Every photograph in every style of a folder, labelled by their files' names: a row a photograph, a column a style."""
    from .report import figures

    refuse_overwriting([arguments.out], [*arguments.photos, *list_images(arguments.styles)])
    check_strength(arguments.strength)
    check_output(arguments.out)
    size = arguments.size
    styles = {file: load_image(file, size) for file in list_images(arguments.styles)}
    photos = [load_image(file, size) for file in arguments.photos]
    check_output(arguments.out, [size * (len(each) + 1) for each in (styles, photos)])
    model = weights.load_stvae(arguments.model, arguments.device)
    codes = [style_code(file, model) for file in styles]
    rows = [[None, *styles.values()]]
    for photo in tqdm(photos, unit="photo"):
        rows.append([photo, *(model.stylize(photo, code, strength=arguments.strength) for code in codes)])
    labels = [shortened(file.stem, size // 8) for file in (*styles, *arguments.photos)]
    figure = figures.grid(rows, ["", *labels[:len(styles)]], ["", *labels[len(styles):]], width=len(rows[0]) * size / 100)
    save_image(load_image(io.BytesIO(figures.png(figure))), arguments.out)
