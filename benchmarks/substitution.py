"""Sixty pairs by every arm of the experiment on published networks, by three unrelated judges (notebook 03).

    python benchmarks/substitution.py EVAL_FOLDER

EVAL_FOLDER as for benchmarks/yardstick.py. The arms' weights are read from runs/published, where benchmarks/sweep.py leaves
them; those that are not there, or whose weights are the recorded ones, keep their rows. Writes
data/runs/published/judged.json: for every arm, seed and judge a row of values, one for each pair; of the student report's
set-up also what its pictures have in common with their own photographs and with others (analysis/traces.py); and a
sheet of pictures of every arm's first seed (rows: three sample photographs; columns: reconstruction, two generated styles).
"""

import argparse
import json
from pathlib import Path

import torch
import yardstick

import stvae_lib as st
from stvae_lib.analysis.traces import own_over_others, stretched
from stvae_lib.files import make_folder, write_text
from stvae_lib.pictures import datasets
from stvae_lib.pictures.images import resized, to_jpeg
from stvae_lib.provenance import environment, sha256

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS, RECORD = ROOT / "runs" / "published", ROOT / "data" / "runs" / "published"
OUT = RECORD / "judged.json"
UNTRAINED = "report-untrained"  # whose outputs lie far outside 0 … 1
TRACED = (UNTRAINED, "report-trained", "layer2")
PHOTOS = ("astronaut", "rocket", "chelsea")  # the student report's layout: a portrait, an architecture, a character
STYLES = ("stained_glass_0", "brush_strokes_0")
SIDE = 224
STAGE = "-2-transform"
MEASURES = ("style", "texture", "kept", "find_t", "find_c")


def weights() -> list[tuple[str, str, Path]]:
    """Arm, seed and weights of every trained arm."""
    found = []
    for file in sorted(WEIGHTS.glob(f"s*{STAGE}/*{STAGE}.safetensors")):
        seed, arm = file.stem.removesuffix(STAGE).split("-", 1)
        found.append((arm, seed, file))
    return found


def judged(folder: Path, model) -> dict:
    """{judge: {measure: one value for each pair}} of one model."""
    judges = yardstick.module(folder / "judges.py")
    rows = yardstick.judge_all(judges, folder / "set", {"arm": model.stylize}, sizes=(yardstick.SIZE,))["arm"]
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


def main(folder: Path) -> None:
    known = json.loads(OUT.read_text()) if OUT.exists() else {"arms": {}, "traces": {}, "weights": {}}
    make_folder(RECORD / "pictures", "choose a writable checkout")
    for arm, seed, file in weights():
        label, digest = f"{seed}-{arm}", sha256(file)[:16]
        if known["weights"].get(label) == digest:
            continue
        model = st.load(file, "cpu")
        known["arms"].setdefault(arm, {})[seed], known["weights"][label] = judged(folder, model), digest
        if seed == "s0":
            drawn = sheet(model, stretched) if arm == UNTRAINED else sheet(model)
            (RECORD / "pictures" / f"{arm}.jpg").write_bytes(to_jpeg(drawn, quality=88))
        if arm in TRACED and seed == "s0":
            known["traces"][arm] = traces(folder, model)
        print(label, {judge: round(sum(values["style"]) / len(values["style"]), 3)
                      for judge, values in known["arms"][arm][seed].items()}, flush=True)
        pairs = json.loads((folder / "set" / "pairs.json").read_text())
        write_text(OUT, json.dumps(known | {"pairs": pairs, "provenance": environment("cpu")}) + "\n")  # kept if cut short


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=yardstick.eval_folder, metavar="EVAL_FOLDER")
    main(parser.parse_args().folder)
