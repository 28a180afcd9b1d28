"""The command `stvae`: what each of `COMMANDS` does. Bad input: one line, exit 2."""

import os
import sys
import warnings
from pathlib import Path

from .arguments import make_parser
from .errors import InputError
from .files import make_folder, refuse_overwriting


def stylize(arguments) -> int:
    import torch

    from .model import weights
    from .pictures.images import load_image, resized, save_image

    targets = _stylize_targets(arguments.photo, arguments.out)
    refuse_overwriting(targets.values(), [*targets, *arguments.styles])
    if arguments.size is not None and arguments.size < 16:
        raise InputError(f"--size {arguments.size}", "is too small", "give 16 pixels or more")
    if not 1 <= arguments.oversample <= 4:
        raise InputError(f"--oversample {arguments.oversample:g}", "is out of range", "give a factor from 1 to 4")
    model = weights.load_stvae(arguments.model, arguments.device)
    codes = [_style_code(style, model) for style in arguments.styles]

    def one(source: Path, target: Path):
        content = load_image(source, arguments.size)
        size = content.shape[2:]
        if arguments.oversample > 1:
            larger = tuple(round(arguments.oversample * side) for side in size)
            content = resized(load_image(source, max(larger)), larger)
        generator = torch.Generator().manual_seed(arguments.seed)
        output = model.stylize(content, codes, arguments.mix, arguments.strength, arguments.sample, generator)
        save_image(resized(output, size), target)

    if not arguments.photo.is_dir():
        one(arguments.photo, arguments.out)
        return 0
    from .model.stvae import normalised_mix
    normalised_mix(arguments.mix, len(codes))
    return _stylize_folder(targets, arguments.out, one)


def _stylize_targets(photo: Path, out: Path) -> dict[Path, Path]:
    """Where the result of every photograph goes: one file, or for a folder of them a folder, another one."""
    from .pictures.images import list_images, output_names

    if not photo.is_dir():
        return {photo: out}
    if out.exists() and out.samefile(photo):
        raise InputError(out, "is the folder of the photographs", "choose another folder by -o")
    return {file: out / f"{name}.png" for file, name in output_names(list_images(photo)).items()}


def _style_code(file: Path, model):
    """A style from a picture, or from a file that `stvae encode` wrote."""
    from .model.mixing import CODE_SUFFIX, load_code
    from .pictures.images import load_image

    return load_code(file, model) if file.suffix == CODE_SUFFIX else model.encode_style(load_image(file, 512))


def encode(arguments) -> int:
    from .model import weights
    from .model.mixing import check_code_file, save_code

    check_code_file(arguments.out)
    refuse_overwriting([arguments.out], [arguments.style])
    model = weights.load_stvae(arguments.model, arguments.device)
    save_code(_style_code(arguments.style, model), arguments.out, model)
    return 0


def video(arguments) -> int:
    from .model import weights
    from .video.clips import open_clip
    from .video.output import check_target
    from .video.styler import Styler
    from .video.stylize import stylize_clip

    check_target(arguments.out)
    refuse_overwriting([arguments.out], [arguments.clip, *_video_styles(arguments)])
    if arguments.size is not None and arguments.size < 16:
        raise InputError(f"--size {arguments.size}", "is too small", "give 16 pixels or more")
    stability = _stability(arguments)
    clip = open_clip(arguments.clip, arguments.size, arguments.rate)
    model = weights.load_stvae(arguments.model, arguments.device)
    styler = Styler(model, _style_track(arguments, model), stability, arguments.strength, arguments.sample, arguments.seed)
    made = stylize_clip(clip, styler, arguments.out)
    print(f"{arguments.out}: {made.frames} frames" + (f", {made.resumed} of them done before" if made.resumed else ""))
    if made.lost:
        print(f"stvae: {arguments.clip}: {made.lost} frames could not be decoded and are left out", file=sys.stderr)
    return 1 if made.lost else 0


def _video_styles(arguments) -> list[Path]:
    """All files of styles, of which there must be some, in one of the two ways."""
    timed = [Path(name) for _, *names in arguments.at for name in names]
    if bool(timed) == bool(arguments.styles):
        raise InputError("styles", "are given twice" if timed else "are not given",
                         "name them after the clip, or give each its time: --at 0:00 A --at 0:05 B")
    return timed or arguments.styles


def _style_track(arguments, model):
    """The mix of styles at every moment: one throughout, or key frames."""
    from .model.codes import mix_codes
    from .model.stvae import normalised_mix
    from .video.keyframes import StyleTrack, seconds_of

    codes = {file: _style_code(file, model) for file in _video_styles(arguments)}
    if arguments.styles:
        given = [codes[file] for file in arguments.styles]
        return StyleTrack([(0.0, mix_codes(given, normalised_mix(arguments.mix, len(given))))])
    if arguments.mix:
        raise InputError("--mix", "goes with styles after the clip", "name a style more than once in --at to give it more")
    keys = [(seconds_of(time), [codes[Path(name)] for name in names]) for time, *names in arguments.at]
    return StyleTrack([(time, mix_codes(mixed, normalised_mix(None, len(mixed)))) for time, mixed in keys])


def _stability(arguments):
    """What holds frames together: the defaults, or none of it, with what is asked for besides."""
    from dataclasses import replace

    from .video.styler import PER_FRAME, Stability

    asked = {name: getattr(arguments, name) for name in ("frozen", "content", "seconds", "blend", "cuts")}
    return replace(PER_FRAME if arguments.per_frame else Stability(),
                   **{name: value for name, value in asked.items() if value is not None})


def _stylize_folder(targets: dict[Path, Path], out: Path, one) -> int:
    """Every file of a folder; a bad one is reported at the end and the others are done. The last line counts both."""
    from tqdm.auto import tqdm

    make_folder(out)
    failures = []
    for file, target in tqdm(targets.items(), unit="image"):
        try:
            one(file, target)
        except InputError as error:
            failures.append(error)
    for error in failures:
        print(f"stvae: {error}", file=sys.stderr)
    print(f"{out}: {len(targets) - len(failures)} done, {len(failures)} failed")
    return 1 if failures else 0


def baseline(arguments) -> int:
    from .baselines import OPTIMISING, STATISTICAL, settings_for
    from .model import weights
    from .pictures.images import load_image, save_image

    if arguments.method not in OPTIMISING | STATISTICAL:
        raise InputError(f"method {arguments.method!r}", "is unknown", f"use one of {', '.join(OPTIMISING | STATISTICAL)}")
    masks = [*(arguments.masks or []), *([arguments.content_mask] if arguments.content_mask else [])]
    refuse_overwriting([arguments.out], [arguments.photo, *arguments.styles, *masks, *(arguments.maps or [])])
    device = weights.pick_device(arguments.device)
    pictures = [load_image(file, arguments.size).to(device) for file in (arguments.photo, *arguments.styles)]
    options = _baseline_inputs(arguments, device)
    if arguments.method in STATISTICAL:
        method, network = STATISTICAL[arguments.method], weights.load(arguments.network or "vgg19-slim-autoencoder", device)
    else:
        method, network = OPTIMISING[arguments.method], weights.loss_network(arguments.network or weights.LOSS_NETWORK)
        network, options = network.to(device), settings_for(arguments.method, network) | options
    try:
        image, history = method(pictures[0], pictures[1:], network, **options)
    except TypeError as error:
        raise InputError(arguments.method, f"has no such option ({error})", "see `stvae baseline --help`") from None
    save_image(image, arguments.out)
    print(f"{arguments.out}: {len(history.losses)} evaluations in {history.seconds:.0f} s, {history.stopped}")
    return 0


def _baseline_inputs(arguments, device) -> dict:
    """Options of a baseline from the command line: values by `--set` (JSON, or text), masks and maps as tensors."""
    import json

    from .pictures.images import load_image

    options = {}
    for name, value in arguments.set:
        try:
            options[name] = json.loads(value)
        except ValueError:
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
    from .training.loop import TrainingDiverged, start_processes

    config = experiment.read_config(arguments.config)
    if config.recipe != arguments.recipe:
        raise InputError(arguments.config, f"is for recipe {config.recipe!r}", f"run `stvae train {config.recipe}`")
    device = start_processes() if "LOCAL_RANK" in os.environ else weights.pick_device(arguments.device)
    if arguments.loss_network:
        config.loss_network = arguments.loss_network
    sources = experiment.Sources(arguments.content_dir, arguments.style_dir)
    stop_after = None if arguments.minutes is None else 60 * arguments.minutes
    try:
        card = experiment.train(config, sources, arguments.out, device, stop_after)
    except TrainingDiverged as error:
        print(f"stvae: {error}", file=sys.stderr)
        return 1
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
    from .report.site import site_of

    print(f"Open {site_of(arguments.folder, arguments.out)}")
    return 0


def bench(arguments) -> int:
    from .bench import run_benchmark

    print(run_benchmark(arguments.model, arguments.sizes, arguments.out, arguments.device))
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


COMMANDS = {"stylize": stylize, "video": video, "encode": encode, "baseline": baseline, "train": train, "report": report,
            "site": site, "bench": bench, "fetch": fetch, "export": export, "info": info, "styles": styles}


def main(argv=None) -> int:
    """Run a command; returns the exit status."""
    warnings.showwarning = lambda message, *rest, **more: print(f"stvae: {message}", file=sys.stderr)
    arguments = make_parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except InputError as error:
        print(f"stvae: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stvae: interrupted", file=sys.stderr)
        return 130


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
