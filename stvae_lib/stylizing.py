"""`stvae stylize` and `encode`: photographs in styles, from files, folders and standard input."""

import argparse
import json
import sys
import tempfile
import warnings
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import torch
from tqdm.auto import tqdm

from . import cluster
from .baselines import refinement
from .errors import InputError, NoRoom, lacks_memory, memory_error, show_warning
from .files import ABANDONED, alone_in, refuse_overwriting
from .losses import FeatureDistances
from .model import tiles, weights
from .model.codes import StyleCode
from .model.mixing import CODE_SUFFIX, check_code_file, load_code, save_code
from .model.stvae import STVAE, check_strength, normalised_mix
from .pictures import colour
from .pictures.images import (
    SUFFIXES,
    check_output,
    list_images,
    output_names,
    reason_to_skip,
    resized,
    save_image,
    to_float,
    to_pixels,
    to_png,
)
from .reading import STREAM, opened, photograph, read_stream, warn_of_frames
from .resuming import Record

STYLE_SIZE = 512
STRIP = 2**20  # pixels whose colours are converted at once


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
    folder = arguments.photo != STREAM and arguments.photo.is_dir()
    check_streams(arguments)
    check_spread(arguments, folder)
    if not 1 <= arguments.oversample <= 4:
        raise InputError(f"--oversample {arguments.oversample:g}", "is out of range", "give a factor from 1 to 4")
    check_strength(arguments.strength)
    if folder:
        check_folders(arguments)
        if arguments.scheduler:
            cluster.check_reachable(arguments.scheduler)
        with alone_in(arguments.out, ABANDONED):  # whoever draws a single photograph into it is writing there too
            outcome = stylize_folder(arguments)
    else:
        outcome = stylize_photo(arguments)
    if arguments.json:
        print(json.dumps(vars(outcome), indent=1))
    elif folder:
        print(f"{arguments.out}: {outcome.line()}")
    return 1 if outcome.failed else 0


def stylize_photo(arguments) -> Outcome:
    """One photograph, from its file or standard input."""
    refuse_overwriting({arguments.out} - {STREAM}, inputs(arguments, arguments.photo))
    if arguments.out != STREAM:
        check_output(arguments.out)
    stylize_one(prepared(arguments), arguments, arguments.photo, arguments.out)
    return Outcome(done=[{"photo": str(arguments.photo), "file": str(arguments.out)}])


def inputs(arguments, *photos: Path) -> set[Path]:
    """All files that a command reads."""
    return {*photos, *arguments.styles, *weights.given_files(arguments.model)} - {STREAM}


@dataclass
class Tools:
    """What all photographs of a command share: the model, ready for tiles, and the styles' codes; where pictures are refined,
    the styles' pictures and the loss network."""

    tiler: tiles.Tiler
    codes: list[StyleCode]
    pictures: list[torch.Tensor] = field(default_factory=list)
    distances: FeatureDistances | None = None

    @classmethod
    def load(cls, arguments) -> "Tools":
        model = weights.load_stvae(arguments.model, arguments.device)
        if arguments.as_drawn:
            model.photo_share = None
        if not arguments.refine:
            return cls(tiles.Tiler(model), [style_code(style, model) for style in arguments.styles])
        for style in arguments.styles:
            if style.suffix == CODE_SUFFIX:
                raise InputError(style, "holds no picture, which --refine asks for", "name the style's picture")
        distances = weights.feature_distances(refinement.LOSS_NETWORK).to(model.device)
        pictures = [opened(style, STYLE_SIZE).to(model.device) for style in arguments.styles]
        return cls(tiles.Tiler(model), model.codes_of(pictures), pictures, distances)


def prepared(arguments) -> Tools:
    """The tools of a command, whose shares of the styles then sum to 1."""
    tools = Tools.load(arguments)
    arguments.mix = normalised_mix(arguments.mix, len(arguments.styles))  # last: it may warn, and an error is one line
    return tools


def stylize_one(tools: Tools, arguments, source: Path, target: Path) -> None:
    """A photograph's file to its result's."""
    output = stylized(tools, source, arguments, target)
    if target == STREAM:
        sys.stdout.buffer.write(to_png(output))
    else:
        save_image(output, target)


def stylized(tools: Tools, source: Path, arguments, target: Path) -> torch.Tensor:
    """A photograph as the arguments want it, `(1, 3, H, W)`, of its own size or the one asked for: in [0, 1], or, drawn in
    tiles, 8-bit."""
    data = None if source != STREAM else read_stream()
    content = photograph(source, arguments, arguments.size, data)
    size = tuple(content.shape[2:])
    if target != STREAM:
        check_output(target, size[::-1])
    drawn = tuple(round(arguments.oversample * side) for side in size)
    room = Path(tempfile.gettempdir()) if target == STREAM else target.absolute().parent
    plan = tools.tiler.plan(drawn, arguments.max_memory, room) if tools.distances is None else None
    if tools.distances is not None and tiles.PROCESS + drawn[0] * drawn[1] * refinement.PIXEL_BYTES > arguments.max_memory:
        raise InputError(source, f"is drawn at {drawn[1]}x{drawn[0]} pixels, which take more than --max-memory to refine",
                         "give a smaller --size, allow more, or leave out --refine")
    warn_of_frames(source, data)  # last: where there is an error to tell of, that is the one line
    typed = to_float if plan is None else to_pixels
    content = larger = typed(content)
    if drawn != size:
        larger = resized(typed(photograph(source, arguments, max(drawn), data)), drawn)
    options = arguments.mix, arguments.strength, arguments.sample, torch.Generator().manual_seed(arguments.seed)
    if plan is None:
        output = tools.tiler.model.stylize(larger, tools.codes, *options)
        if tools.distances is not None:
            output = refined(tools, output, larger, arguments)
    else:
        output = tools.tiler.stylize(larger, tools.codes, plan, *options, progress=arguments.scheduler is None)
    output = (output if drawn == size else resized(output, size)).cpu()
    return own_colours(content, output) if arguments.preserve_colour else output


def refined(tools: Tools, drawn: torch.Tensor, content: torch.Tensor, arguments) -> torch.Tensor:
    """A drawn picture after the steps that the arguments ask for."""
    shown = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"  # without counts: the first evaluation is no step
    with tqdm(total=arguments.refine + 1, desc="refine", leave=False, bar_format=shown, disable=bool(arguments.scheduler)) as bar:
        return refinement.refine(drawn, content.to(drawn.device), tools.pictures, tools.distances, arguments.refine,
                                 arguments.mix, arguments.strength, bar)


def own_colours(content: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """`output` with the colours of `content`, `(1, 3, H, W)` and of one type both: strip by strip, as the conversion takes a
    hundred times the memory of an 8-bit picture."""
    rows = max(1, STRIP // content.shape[3])
    typed = to_float if output.is_floating_point() else to_pixels
    return torch.cat([typed(colour.keep(to_float(part), to_float(drawn), "lab"))
                      for part, drawn in zip(content.split(rows, dim=2), output.split(rows, dim=2))], dim=2)


def check_spread(arguments, folder: bool) -> None:
    """InputError where options of a folder's work are given for one photograph, or do not go together."""
    for name in ("scheduler", "resume"):
        if getattr(arguments, name) and not folder:
            raise InputError(f"--{name}", "is given for one photograph", "name a folder of them")
    if arguments.workers and arguments.scheduler != cluster.LOCAL:
        raise InputError("--workers", "are those of a local scheduler", "add --scheduler local")
    if arguments.scheduler:
        cluster.check_installed()
        if STREAM in arguments.styles:
            raise InputError("-", "cannot be read by several processes", "name files of styles")


def check_streams(arguments) -> None:
    """InputError where standard input or output would have to serve two purposes."""
    if [arguments.photo, *arguments.styles].count(STREAM) > 1:
        raise InputError("-", "stands for more than one picture", "standard input can be read once: name files")
    if arguments.out == STREAM and arguments.json:
        raise InputError("--json", "would be mixed with the picture on standard output", "name a file by -o")
    if arguments.out == STREAM and sys.stdout is None:
        raise InputError("-o -", "is given, and standard output is closed", "name a file by -o")
    if arguments.out == STREAM and sys.stdout.isatty():
        raise InputError("-o -", "would fill the terminal with a picture", "redirect it: > out.png")


def check_folders(arguments) -> None:
    """InputError where there is nothing to be read in a folder, or its results would go to no other folder."""
    photo, out = arguments.photo, arguments.out
    if out == STREAM:
        raise InputError("-o -", "is given for a folder of photographs", "name a folder")
    if not out.exists() and out.suffix.lower() in SUFFIXES:
        raise InputError(out, "is named like a picture, and a folder has many", "name a folder by -o")
    if out.exists() and out.samefile(photo):
        raise InputError(out, "is the folder of the photographs", "choose another folder by -o")
    list_images(photo)


def find_targets(folder: Path, out: Path, known: dict[str, str]) -> tuple[dict[Path, Path], list[dict]]:
    """Where the result of every photograph of a folder goes, and what of the folder is skipped. known: names of results, as
    by `output_names`."""
    files = list_images(folder)
    names = output_names(files, known)
    skipped = [{"file": str(file), "reason": reason_to_skip(file)} for file in sorted(set(folder.iterdir()) - {*files})]
    return {file: out / f"{names[file]}.png" for file in files}, skipped


def stylize_folder(arguments) -> Outcome:
    """Every file of a folder; a bad one is reported at the end and the others are done."""
    out = arguments.out
    record = Record.read(out) if arguments.resume else Record()
    targets, skipped = find_targets(arguments.photo, out, record.names())
    refuse_overwriting(targets.values(), inputs(arguments, *targets))
    tools, outcome = prepared(arguments), Outcome(skipped=skipped)
    there = record.begin(out, targets, settings(tools, arguments))
    outcome.skipped += [{"file": str(file), "reason": "done before"} for file in targets if file in there]
    targets = {file: target for file, target in targets.items() if file not in there}
    results = spread(targets, arguments) if arguments.scheduler else in_turn(targets, tools, arguments)
    try:
        for file, error in tqdm(results, total=len(targets), unit="image", disable=not targets):
            if error is None:
                outcome.done.append({"photo": str(file), "file": str(targets[file])})
            else:
                outcome.failed.append({"file": str(file), "error": error})
                check_still_there(arguments, outcome)
    except NoRoom as error:
        target, problem, remedy = error.args
        raise InputError(target, f"{problem}, after {outcome.line()}", f"{remedy}, and go on with --resume") from None
    for entry in outcome.failed:
        print(f"stvae: {entry['error']}", file=sys.stderr)
    return outcome


def check_still_there(arguments, outcome: Outcome) -> None:
    """InputError where the folder of photographs or that of results went away: none of the others will be drawn either."""
    for folder in (arguments.photo, arguments.out):
        if not folder.is_dir():
            raise InputError(folder, f"is gone, after {outcome.line()}", "bring it back, and go on with --resume")


def in_turn(targets: dict[Path, Path], tools: Tools, arguments):
    """Stylise a folder's files one after the other: each with what was wrong, or None."""
    for file, target in targets.items():
        yield file, attempted(tools, arguments, file, target)


def attempted(tools: Tools, arguments, source: Path, target: Path) -> str | None:
    """What is wrong with a photograph, in one line; None where its result was written. NoRoom where none will be."""
    try:
        stylize_one(tools, arguments, source, target)
    except NoRoom:
        raise
    except InputError as error:
        return str(error)
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        return str(memory_error(source))
    return None


def spread(targets: dict[Path, Path], arguments):
    """The same on the workers of a Dask scheduler, in the order in which they end."""
    given = argparse.Namespace(**vars(arguments))
    given.styles = [file.resolve() for file in given.styles]
    if given.model.endswith(CODE_SUFFIX):  # a file, not a name
        given.model = str(Path(given.model).resolve())
    files = list(targets)
    tasks = [(given, file.resolve(), target.resolve()) for file, target in targets.items()]
    with closing(cluster.results(on_worker, tasks, arguments.scheduler, arguments.workers)) as results:
        for number, error, lost in results:
            if isinstance(lost, NoRoom):
                raise lost
            if lost is not None:
                said = " ".join(f"{type(lost).__name__}: {lost}".split())[:200]
                error = str(InputError(files[number], f"was lost with its worker ({said})",
                                       "look there, and go on with --resume"))
            yield files[number], error


def on_worker(arguments, source: Path, target: Path) -> str | None:
    """`attempted` where the model is loaded with the first photograph and kept for all others, one at a time: several in a
    process would each plan with all the memory."""
    with cluster.ALONE, warnings.catch_warnings():
        warnings.showwarning = show_warning
        read = *arguments.styles, *([Path(arguments.model)] if arguments.model.endswith(CODE_SUFFIX) else [])
        written = tuple(file.stat().st_mtime_ns for file in read if file.exists())
        tools = _loaded(arguments.model, arguments.device, tuple(arguments.styles), arguments.as_drawn, arguments.refine, written)
        return attempted(tools, arguments, source, target)


@lru_cache(maxsize=1)
def _loaded(model: str, device: str, styles: tuple[Path, ...], as_drawn: bool, refine: int, _written: tuple[int, ...]) -> Tools:
    """_written: when its files were, since a worker that outlives a command may be given others under the same names."""
    return Tools.load(argparse.Namespace(model=model, device=device, styles=styles, as_drawn=as_drawn, refine=refine))


def settings(tools: Tools, arguments) -> dict:
    """What decides the results besides the photographs."""
    names = ("mix", "strength", "size", "preserve_colour", "oversample", "sample", "seed", "refine")
    model = tools.tiler.model
    given = {name: getattr(arguments, name) for name in names}
    return {"model": model.identity(), "styles": [code.identity() for code in tools.codes]} | given


def style_code(file: Path, model: STVAE):
    """A style from a picture, from standard input, or from a file that `stvae encode` wrote."""
    if file.suffix == CODE_SUFFIX:
        return load_code(file, model)
    return model.encode_style(opened(file, STYLE_SIZE))


def encode(arguments) -> None:
    """A painting's style as a small file."""
    check_code_file(arguments.out, arguments.force)
    refuse_overwriting([arguments.out], [arguments.style, *weights.given_files(arguments.model)])
    model = weights.load_stvae(arguments.model, arguments.device)
    save_code(style_code(arguments.style, model), arguments.out, model)
