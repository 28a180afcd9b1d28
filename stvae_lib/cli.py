"""The command `stvae`: what each of `COMMANDS` does. Bad input: one line, exit 2."""

import os
import sys
import warnings

import argcomplete

from .arguments import make_parser
from .errors import InputError, lacks_memory, memory_error, show_warning
from .files import refuse_overwriting, shortened


def stylize(arguments) -> int:
    from .stylizing import stylize

    return stylize(arguments)


def video(arguments) -> int:
    from .filming import film

    return film(arguments)


def sheet(arguments) -> int:
    from .sheet import write_sheet

    write_sheet(arguments)
    return 0


def encode(arguments) -> int:
    from .stylizing import encode

    encode(arguments)
    return 0


def baseline(arguments) -> int:
    from .baselines import OPTIMISING, STATISTICAL, settings_for
    from .model import weights
    from .pictures.images import check_output, load_image, save_image
    from .reading import HUGE

    if arguments.method not in OPTIMISING | STATISTICAL:
        raise InputError(f"method {arguments.method!r}", "is unknown", f"use one of {', '.join(OPTIMISING | STATISTICAL)}")
    masks = [*(arguments.masks or []), *([arguments.content_mask] if arguments.content_mask else [])]
    read = [arguments.photo, *arguments.styles, *masks, *(arguments.maps or []), *weights.given_files(arguments.network)]
    refuse_overwriting([arguments.out], read)
    check_output(arguments.out)
    device = weights.pick_device(arguments.device)
    pictures = [load_image(file, arguments.size, most=HUGE).to(device) for file in (arguments.photo, *arguments.styles)]
    options = _baseline_inputs(arguments, device)
    if arguments.method in STATISTICAL:
        method, network = STATISTICAL[arguments.method], weights.load(arguments.network or "vgg19-slim-autoencoder", device)
    else:
        method, network = OPTIMISING[arguments.method], weights.loss_network(arguments.network or weights.LOSS_NETWORK)
        network, options = network.to(device), settings_for(arguments.method, network) | options
    if arguments.method in STATISTICAL and (unknown := [name for name in options if name != "mix"]):
        raise InputError(arguments.method, f"has no option {unknown[0]!r}", "it has --mix alone")
    check_output(arguments.out, pictures[0].shape[:1:-1])
    image, history = method(pictures[0], pictures[1:], network, **options)
    save_image(image, arguments.out)
    said = f"{arguments.out}: {len(history.losses)} evaluations in {history.seconds:.0f} s, {history.stopped}"
    if history.stopped == "diverged":
        print(f"stvae: {said}; what it holds is the best picture before that", file=sys.stderr)
        return 1
    print(said)
    return 0


def _baseline_inputs(arguments, device) -> dict:
    """Options of a baseline from the command line: values by `--set` (JSON, or text), masks and maps as tensors."""
    import json

    from .pictures.images import load_image

    options = {}
    for name, value in arguments.set:
        if name in ("mix", "masks", "content_mask", "content_map", "style_maps", "snapshots"):
            raise InputError(f"--set {name}", "is no option of the method", "see `stvae baseline --help`")
        try:
            options[name] = json.loads(value)
        except (ValueError, RecursionError):
            options[name] = value
        if isinstance(options[name], list):
            options[name] = tuple(options[name])
    if arguments.mix:
        options["mix"] = arguments.mix
    if arguments.masks:
        options["masks"] = [load_image(file).mean(1, keepdim=True).to(device) for file in arguments.masks]
    if arguments.content_mask:
        options["content_mask"] = load_image(arguments.content_mask).mean(1, keepdim=True).to(device)
    if arguments.maps:
        maps = [load_image(file).to(device) for file in arguments.maps]
        options |= {"content_map": maps[0], "style_maps": maps[1:]}
    return options


def train(arguments) -> int:
    import torch.distributed as dist

    from .model import weights
    from .training import experiment
    from .training.loop import TrainingDiverged, TrainingInterrupted, start_processes

    config = experiment.read_config(arguments.config)
    if config.recipe != arguments.recipe:
        raise InputError(arguments.config, f"is for recipe {config.recipe!r}", f"run `stvae train {config.recipe}`")
    device = start_processes() if "LOCAL_RANK" in os.environ else weights.pick_device(arguments.device)
    if arguments.loss_network:
        config.loss_network = arguments.loss_network
    sources = experiment.Sources(arguments.content_dir, arguments.style_dir)
    stop_after = None if arguments.minutes is None else 60 * arguments.minutes
    try:
        card = experiment.train(config, sources, arguments.out, device, stop_after, arguments.config)
    except TrainingDiverged as error:
        print(f"stvae: {error}", file=sys.stderr)
        return 1
    except TrainingInterrupted as error:
        print(f"stvae: {error}", file=sys.stderr)
        return 128 + error.number  # as shells tell of what a signal ended
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
    if card is None and os.environ.get("RANK", "0") == "0":
        print(f"stopped; the same command resumes from {arguments.out / 'checkpoint.pt'}")
    elif card is not None:
        print(f"{arguments.out / card['file']}: " + ", ".join(f"{k} {v:.4g}" for k, v in card["validation"].items()))
    return 0


def report(arguments) -> int:
    from .report.execute import run_report

    return run_report(dict(arguments.parameters), arguments.parameter_file, arguments.only, arguments.out,
                      arguments.resume, arguments.commit)


def site(arguments) -> int:
    from .report.site import has_previews, site_of

    index = site_of(arguments.folder, arguments.out, arguments.solutions)
    if has_previews(arguments.folder):
        print("Its figures are the small previews that notebooks hold; `make report` draws them at full size.")
    print(f"Open {index}")
    return 0


def bench(arguments) -> int:
    from .bench import run_benchmark

    print(run_benchmark(arguments.model, arguments.sizes, arguments.out, arguments.device, arguments.peer))
    return 0


def fetch(arguments) -> int:
    from .model import published

    for name in arguments.names or published.PUBLISHED:
        print(f"{published.fetch(name)}: {published.PUBLISHED[name].what}")
    return 0


def export(arguments) -> int:
    from .model.export import write_onnx
    from .report.try_it import build_try_it

    if arguments.onnx:
        print(write_onnx(arguments.model, arguments.onnx))
    else:
        print(build_try_it(arguments.page, arguments.model))
    return 0


def info(arguments) -> int:
    from .model import weights

    print(weights.describe(arguments.model) if arguments.model else weights.describe_all())
    return 0


def styles(arguments) -> int:
    from .pictures.styles import write_styles

    for file in write_styles(arguments.out, arguments.size, arguments.seeds, arguments.first_seed):
        print(file)
    return 0


def study(arguments) -> int:
    return {"make": _study_make, "serve": _study_serve, "read": _study_read}[arguments.action](arguments)


def _study_make(arguments) -> int:
    from .report.study.page import QUESTION, make_study

    page, key = make_study(arguments.folder, arguments.out, arguments.votes, arguments.size, arguments.seed,
                           arguments.question or QUESTION, arguments.force)
    print(f"{page}: give it to raters\n{key}: keep it from them; `stvae study read` needs it")
    return 0


def _study_serve(arguments) -> int:
    from .report.study.serve import serve

    serve(arguments.page, arguments.out, arguments.host, arguments.port, arguments.token)
    return 0


def _study_read(arguments) -> int:
    from .report.study.design import read_key
    from .report.study.summary import summary
    from .report.study.votes import merge, read_all, write_merged

    refuse_overwriting([arguments.out], [arguments.key, *arguments.files])
    key = read_key(arguments.key)
    merged = merge(read_all(arguments.files, key), key)
    write_merged(merged, arguments.out)
    print(summary(merged))
    return 0


def course(arguments) -> int:
    from .report.course import build_course

    out = build_course(arguments.out, arguments.run)
    told = {"student": "to hand out", "solution": "to show afterwards",
            "course": "for nbgrader; there, `nbgrader generate_assignment LAB`",
            "slides": "of every chapter; the key S opens the speaker's notes", "handout.pdf": "the method on one page"}
    print("\n".join(f"{out / name}: {what}" for name, what in told.items() if (out / name).exists()))
    return 0


COMMANDS = {"stylize": stylize, "video": video, "encode": encode, "sheet": sheet, "baseline": baseline, "train": train,
            "report": report, "site": site, "bench": bench, "fetch": fetch, "export": export, "info": info, "study": study,
            "course": course, "styles": styles}


def main(argv=None) -> int:
    """Run a command; returns the exit status."""
    _hold_streams()
    warnings.showwarning = show_warning
    parser = make_parser()
    argcomplete.autocomplete(parser)
    arguments = parser.parse_args(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except InputError as error:
        print(f"stvae: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        raise
    except OSError as error:  # of a place that nothing above has looked at
        said = " ".join(str(error.strerror or error).splitlines())
        print(f"stvae: {shortened(error.filename or 'the file system')}: {said}; check the path and the room there",
              file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        print(f"stvae: {memory_error(arguments.command)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stvae: interrupted", file=sys.stderr)
        return 130


def _hold_streams() -> None:
    """Nothing in place of standard streams that are closed: else the next files to be opened would get their numbers, and with
    them whatever is said."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    if sys.stderr is None:  # of a closed standard output Python keeps silent by itself
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def run():
    """Entry point of the installed command. A reader that has seen enough (`stvae info | head`) is no error to tell of."""
    try:
        try:
            status = main()
        finally:  # here and not when Python ends, where the error could not be caught
            if sys.stdout:
                sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # what a shell reports of a program that SIGPIPE ended
    sys.exit(status)
