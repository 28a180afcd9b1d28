"""Sixty pairs by every arm of an experiment, by three unrelated judges: published networks against each other, or students of
theirs (notebook 03), or three readings of the paper (notebook 02).

    python benchmarks/substitution.py EVAL_FOLDER [--experiment published] [--redrawn AUTOENCODER] [--content-dir FOLDER]

EVAL_FOLDER as for benchmarks/yardstick.py. The arms' weights are read from runs/EXPERIMENT, where benchmarks/sweep.py leaves
them; those that are not there, or whose weights are the recorded ones, keep their rows. Writes
data/runs/EXPERIMENT/judged.json: for every arm, seed and judge a row of values, one for each pair; of the student report's
set-up also what its pictures have in common with their own photographs and with others (analysis/traces.py); and a
sheet of pictures of every arm's first seed (rows: three sample photographs; columns: reconstruction, two generated styles).
With --redrawn also an arm `redrawn`: the photographs as a shipped autoencoder redraws them, without a style. With --content-dir,
the folder that the arms were trained on, also the PSNR of one flat colour for each of its held-out photographs.
"""

import argparse
import json
from pathlib import Path

import torch
import yardstick

import stvae_lib as st
from stvae_lib.analysis.traces import own_over_others, stretched
from stvae_lib.evaluation.metrics import reconstruction_scores
from stvae_lib.files import make_folder, write_text
from stvae_lib.model import weights
from stvae_lib.model.stvae import STVAE
from stvae_lib.pictures import datasets
from stvae_lib.pictures.datasets import held_out_images
from stvae_lib.pictures.images import resized, to_jpeg
from stvae_lib.provenance import environment, sha256

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENTS = "published", "readings", "students"
UNTRAINED = "report-untrained"  # whose outputs lie far outside 0 … 1
TRACED = (UNTRAINED, "report-trained", "layer2")
PHOTOS = ("astronaut", "rocket", "chelsea")  # the student report's layout: a portrait, an architecture, a character
STYLES = ("stained_glass_0", "brush_strokes_0")
SIDE = 224
STAGE = "-2-transform"
MEASURES = ("style", "texture", "kept", "find_t", "find_c")


def trained_arms(experiment: str) -> list[tuple[str, str, Path]]:
    """Arm, seed and weights of every trained arm."""
    found = []
    for file in sorted((ROOT / "runs" / experiment).glob(f"s*{STAGE}/*{STAGE}.safetensors")):
        seed, arm = file.stem.removesuffix(STAGE).split("-", 1)
        found.append((arm, seed, file))
    return found


def judged(folder: Path, model) -> dict:
    """{judge: {measure: one value for each pair}} of one model; an autoencoder redraws the content."""
    judges = yardstick.module(folder / "judges.py")
    method = model.stylize if isinstance(model, STVAE) else lambda content, style: model.reconstruct(content)
    rows = yardstick.judge_all(judges, folder / "set", {"arm": method}, sizes=(yardstick.SIZE,))["arm"]
    return {judge: {measure: [round(value, 4) for value in rows[judge][measure]] for measure in MEASURES}
            for judge in judges.JUDGES}


@torch.no_grad()
def traces(folder: Path, model) -> dict[str, list[float]]:
    """By how much a picture's luminance agrees better with its own photograph's than with the others', the picture stretched to
    its range: for every photograph redrawn, and for every pair stylised."""
    judges, root = yardstick.module(folder / "judges.py"), folder / "set"
    pairs = json.loads((root / "pairs.json").read_text())
    names = sorted({content for content, _ in pairs})
    contents = [judges.load(root / "content" / name) for name in names]
    own = [names.index(content) for content, _ in pairs]
    redrawn = [model.reconstruct(content, clamp=False) for content in contents]
    stylised = [model.stylize(contents[index], judges.load(root / "style" / style), clamp=False)
                for index, (_, style) in zip(own, pairs)]
    return {what: [round(value, 4) for value in own_over_others(stretched(torch.cat(outputs)), torch.cat(contents), rows)]
            for what, outputs, rows in (("redrawn", redrawn, list(range(len(contents)))), ("stylised", stylised, own))}


@torch.no_grad()
def sheet(model, shown=lambda outputs: outputs.clamp(0, 1)) -> torch.Tensor:
    """What an arm does, `(1, 3, 3·SIDE, 3·SIDE)`. shown: what brings its outputs to 0 … 1."""
    styles = [st.load_image(datasets.GENERATED_STYLES / f"{name}.png") for name in STYLES]
    rows = []
    for name in PHOTOS:
        photo = resized(datasets.sample_photo(name), (SIDE, SIDE))
        made = [model.reconstruct(photo, clamp=False), *[model.stylize(photo, style, clamp=False) for style in styles]]
        rows.append(torch.cat([shown(output) for output in made], dim=3))
    return torch.cat(rows, dim=2)


def flat_psnr(content_dir: str) -> float:
    """PSNR of a photograph's mean colour, over the held-out photographs that the cards' PSNR is over."""
    photos = held_out_images(content_dir, None, 256)
    flat = [photo.mean((2, 3), keepdim=True).expand_as(photo) for photo in photos]
    return round(float(reconstruction_scores(flat, photos)["psnr"]), 4)


def main(folder: Path, experiment: str, redrawn: str | None, content_dir: str | None) -> None:
    record = ROOT / "data" / "runs" / experiment
    out, pairs = record / "judged.json", json.loads((folder / "set" / "pairs.json").read_text())
    known = json.loads(out.read_text()) if out.exists() else {"arms": {}, "traces": {}, "weights": {}}
    make_folder(record / "pictures", "choose a writable checkout")
    if content_dir:
        known["flat"] = flat_psnr(content_dir)
        write_text(out, json.dumps(known) + "\n")
    arms = trained_arms(experiment) + ([("redrawn", "s0", weights.find(redrawn))] if redrawn else [])
    for arm, seed, file in arms:
        label, digest = f"{seed}-{arm}", sha256(file)[:16]
        if known["weights"].get(label) == digest:
            continue
        model = st.load(file, "cpu")
        known["arms"].setdefault(arm, {})[seed], known["weights"][label] = judged(folder, model), digest
        if seed == "s0" and isinstance(model, STVAE):
            drawn = sheet(model, stretched) if arm == UNTRAINED else sheet(model)
            (record / "pictures" / f"{arm}.jpg").write_bytes(to_jpeg(drawn, quality=88))
        if arm in TRACED and seed == "s0" and experiment == "published":
            known["traces"][arm] = traces(folder, model)
        print(label, {judge: round(sum(values["style"]) / len(values["style"]), 3)
                      for judge, values in known["arms"][arm][seed].items()}, flush=True)
        write_text(out, json.dumps(known | {"pairs": pairs, "provenance": environment("cpu")}) + "\n")  # kept if cut short


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=yardstick.eval_folder, metavar="EVAL_FOLDER")
    parser.add_argument("--experiment", choices=EXPERIMENTS, default=EXPERIMENTS[0])
    parser.add_argument("--redrawn", metavar="AUTOENCODER", help="a shipped autoencoder, judged as an arm of its own")
    parser.add_argument("--content-dir", metavar="FOLDER", help="photographs that the arms were trained on")
    args = parser.parse_args()
    main(args.folder, args.experiment, args.redrawn, args.content_dir)
