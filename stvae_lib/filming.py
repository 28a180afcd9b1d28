"""`stvae video`: films, and folders of frames, in styles."""

import sys
from dataclasses import replace
from pathlib import Path

from .errors import InputError
from .files import refuse_overwriting
from .model import weights
from .model.codes import mix_codes
from .model.stvae import STVAE, check_strength, normalised_mix
from .stylizing import style_code
from .video.clips import open_clip
from .video.keyframes import StyleTrack, seconds_of
from .video.output import check_target
from .video.styler import PER_FRAME, Stability, Styler
from .video.stylize import stylize_clip


def film(arguments) -> int:
    """A clip in a style; returns the exit status: 1 where frames could not be decoded."""
    check_target(arguments.out)
    refuse_overwriting([arguments.out], [arguments.clip, *styles_of(arguments), *weights.given_files(arguments.model)])
    check_strength(arguments.strength)
    stability = stability_of(arguments)
    clip = open_clip(arguments.clip, arguments.size, arguments.rate)
    model = weights.load_stvae(arguments.model, arguments.device)
    styler = Styler(model, style_track(arguments, model), stability, arguments.strength, arguments.sample, arguments.seed)
    made = stylize_clip(clip, styler, arguments.out)
    print(f"{arguments.out}: {made.frames} frames" + (f", {made.resumed} of them done before" if made.resumed else ""))
    if made.lost:
        print(f"stvae: {arguments.clip}: {made.lost} frames could not be decoded and are left out", file=sys.stderr)
    return 1 if made.lost else 0


def styles_of(arguments) -> list[Path]:
    """All files of styles, of which there must be some, in one of the two ways."""
    timed = [Path(name) for _, *names in arguments.at for name in names]
    if bare := [time for time, *names in arguments.at if not names]:
        raise InputError(f"--at {bare[0]}", "names no style", "give one or more after the time")
    if bool(timed) == bool(arguments.styles):
        raise InputError("styles", "are given twice" if timed else "are not given",
                         "name them after the clip, or give each its time: --at 0:00 A --at 0:05 B")
    return timed or arguments.styles


def style_track(arguments, model: STVAE) -> StyleTrack:
    """The mix of styles at every moment: one throughout, or key frames."""
    codes = {file: style_code(file, model) for file in styles_of(arguments)}
    if arguments.styles:
        given = [codes[file] for file in arguments.styles]
        return StyleTrack([(0.0, mix_codes(given, normalised_mix(arguments.mix, len(given))))])
    if arguments.mix:
        raise InputError("--mix", "goes with styles after the clip", "name a style more than once in --at to give it more")
    keys = [(seconds_of(time), [codes[Path(name)] for name in names]) for time, *names in arguments.at]
    return StyleTrack([(time, mix_codes(mixed, normalised_mix(None, len(mixed)))) for time, mixed in keys])


def stability_of(arguments) -> Stability:
    """What holds frames together: the defaults, or none of it, with what is asked for besides."""
    asked = {name: getattr(arguments, name) for name in ("frozen", "content", "seconds", "colours", "blend", "restore", "cuts")}
    return replace(PER_FRAME if arguments.per_frame else Stability(),
                   **{name: value for name, value in asked.items() if value is not None})
