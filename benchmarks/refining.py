"""Pictures drawn on by optimisation (`stvae stylize --refine`), on the yardstick's sixty pairs, beside published networks.

    python benchmarks/refining.py EVAL_FOLDER [--steps 20] [--model NAME] [--every 1]

EVAL_FOLDER as for benchmarks/yardstick.py. The steps go down the losses of the published VGG-16 at full width, at 256 pixels. The
control is as many steps from the photograph: what they do where no network has drawn. Settings were chosen on every fifth pair,
from the first and from the third on; leads are told for the others alone as well. Pictures are kept in runs/refining-STEPS as
soon as they are drawn: killed and started again, it goes on. Writes benchmarks/refining.json.

The others are not quite unseen. The first run, over all pairs, weighed structure by 30: by both judges nearer to the style than
MicroAST on the other pairs, all else undecided. It was then run again with 14, a weight that had been tried on some of the 24
before, because there strokes had gained nearly twice as much by it.

The rule, as it stood before the first run: on the pairs that settings were not chosen on, and by both judges that are not the
loss network, refined pictures of the model come nearer than MicroAST's to style and strokes, and keep more of the photograph;
each holds where the 95 % interval of its paired lead lies above zero, fails where it lies below, and is undecided between. What
the control does as well is not the network's merit.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import optimising
import torch
import yardstick

import stvae_lib as st
from stvae_lib import weights
from stvae_lib.arguments import whole
from stvae_lib.baselines import refinement
from stvae_lib.evaluation.timing import process_peak_mb
from stvae_lib.files import write_text
from stvae_lib.pictures import datasets, styles
from stvae_lib.pictures.images import resized
from stvae_lib.provenance import environment, sha256

HERE = Path(__file__).resolve().parent
COST_SIDE = 512  # pixels of the picture that tells what the steps cost
CHOSEN_ON = (0, 2)  # of every five pairs
REFINED, CONTROL = "refined", "photograph refined"
NOTHING = ("content", "style")  # photograph and style as they are: controls of the claims against published networks


def leads(rows: dict, pairs: dict, numbers: list[int]) -> dict:
    """Refined pictures and the controls less every other method, on some of the pairs."""
    places = [list(pairs).index(number) for number in numbers]
    some = {name: {judge: {measure: [values[place] for place in places] for measure, values in measures.items()}
                   for judge, measures in found.items()} for name, found in rows.items()}
    return {"pairs": len(numbers), "rows": {name: yardstick.means(found) for name, found in some.items()},
            "ahead": {name: {other: yardstick.differences(some[name], found, [pairs[number] for number in numbers])
                             for other, found in some.items() if other != name} for name in (REFINED, CONTROL, *NOTHING)}}


def in_a_process(function, *given):
    """What a function returns, in a process of its own, whose memory nobody else uses."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *given).result()


def cost(name: str, steps: int) -> dict:
    """Seconds of a pass and of the steps behind it for one picture of `COST_SIDE`, and the peak memory of the process, in MB."""
    model, distances = st.load(name, "cpu"), weights.feature_distances(refinement.LOSS_NETWORK)
    content = resized(datasets.sample_photo("astronaut"), (COST_SIDE, COST_SIDE))
    style = styles.generate("brush_strokes", COST_SIDE)
    with torch.no_grad():
        model.stylize(content, style)  # the first is slower
        began = time.perf_counter()
        drawn = model.stylize(content, style)
        passed = time.perf_counter()
    refinement.refine(drawn, content, [style], distances, steps)
    return {"side": COST_SIDE, "pass (s)": round(passed - began, 2), "steps (s)": round(time.perf_counter() - passed, 1),
            "peak memory (MB)": round(process_peak_mb())}


def main(folder: Path, steps: int, name: str, every: int) -> dict:
    judges, root, out = yardstick.module(folder / "judges.py"), folder / "set", HERE.parent / "runs" / f"refining-{steps}"
    pairs = dict(list(enumerate(json.loads((root / "pairs.json").read_text())))[::every])
    reference, model = json.loads((root / "reference.json").read_text()), st.load(name, "cpu")
    distances = weights.feature_distances(refinement.LOSS_NETWORK)

    @torch.no_grad()
    def shipped(content, style):
        return model.stylize(content, style)

    def refined(content, style):
        return refinement.refine(shipped(content, style), content, [style], distances, steps)

    methods = {REFINED: refined, CONTROL: lambda content, style: refinement.refine(content, content, [style], distances, steps)}
    for label, method in methods.items():
        optimising.draw_missing(judges, root, pairs, method, out / label.replace(" ", "-"))
    kept = {label: optimising.kept_pictures(judges, out / label.replace(" ", "-"), pairs) for label in methods}
    rows = optimising.judged(judges, folder, pairs, {name: shipped} | kept)
    rows |= optimising.published(judges, reference, pairs, (*optimising.PEERS, *NOTHING))
    others = [number for number in pairs if number % 5 not in CHOSEN_ON]
    return {"command": f"python benchmarks/refining.py EVAL_FOLDER --steps {steps}", "steps": steps, "model": name,
            "loss_network": refinement.LOSS_NETWORK, "all": leads(rows, pairs, list(pairs)), "others": leads(rows, pairs, others),
            "cost": in_a_process(cost, name, steps),
            "provenance": environment("cpu") | {"weights": {name: sha256(st.weights.find(name))[:16]}}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=yardstick.eval_folder, metavar="EVAL_FOLDER")
    parser.add_argument("--steps", type=whole(1, 1000), default=20)
    parser.add_argument("--model", default="vgg16-half", help="whose pictures are refined: a shipped name")
    parser.add_argument("--every", type=whole(1, 60), default=1, help="every so many pairs")
    given = parser.parse_args()
    found = main(given.folder, given.steps, given.model, given.every)
    write_text(HERE / "refining.json", json.dumps(found, indent=1) + "\n")
