"""Methods 1 to 3 on every fifth of the yardstick's sixty pairs, beside a model on the same pairs.

    python benchmarks/optimising.py EVAL_FOLDER [--limit N] [--model NAME]

EVAL_FOLDER as for benchmarks/yardstick.py. The methods ask the published VGG-16 at full width (`stvae fetch vgg16`), at most N
times at every scale (100: published are up to 1,000 and more, see notebook 04), at 256 pixels; minutes of a core a picture.
Pictures are kept in runs/optimising-N as soon as they are drawn: killed and started again, it goes on. Writes
benchmarks/optimising.json: means by judge and measure, and the model less every other method, paired and clustered.
"""

import argparse
import json
import time
from pathlib import Path

import comparison
import torch
import yardstick

import stvae_lib as st
from stvae_lib.arguments import whole
from stvae_lib.files import make_folder, write_text
from stvae_lib.provenance import environment, sha256

HERE = Path(__file__).resolve().parent
EVERY = 5


def draw_missing(judges, root: Path, pairs: dict, method, folder: Path) -> None:
    """A method's picture of every pair that has none yet: `folder/NNN.png`."""
    make_folder(folder, "choose a writable checkout")
    for number, (content, style) in pairs.items():
        file = folder / f"{number:03d}.png"
        if not file.exists():
            began = time.process_time()
            st.save_image(method(judges.load(root / "content" / content), judges.load(root / "style" / style)), file)
            print(folder.name, number, f"{time.process_time() - began:.0f} s of processor time", flush=True)


def drawn(judges, root: Path, pairs: dict, name: str, limit: int, folder: Path) -> None:
    """The same by a method of the comparison, asked at most `limit` times at every scale."""
    method = comparison.METHODS[name](limit)
    draw_missing(judges, root, pairs, lambda content, style: method(content, style)[0].detach(), folder)


@torch.no_grad()
def judged(judges, folder: Path, pairs: dict, methods: dict) -> dict:
    """`yardstick.judge_all` of some pairs by number. All of the set is judged, since its pairs decide what distances are measured
    in and what is found among what; photographs stand in for the pictures of the other pairs, and their values are left out."""
    count = len(json.loads((folder / "set" / "pairs.json").read_text()))

    def standing_in(method):
        asked = iter([number in pairs for number in range(count)])
        return lambda content, style: method(content, style) if next(asked) else content

    rows = yardstick.judge_all(judges, folder / "set", {name: standing_in(method) for name, method in methods.items()},
                               (yardstick.SIZE,))
    return {name: {judge: {measure: [values[number] for number in pairs] for measure, values in measures.items()}
                   for judge, measures in found.items()} for name, found in rows.items()}


def kept_pictures(judges, folder: Path, pairs: dict):
    """A method that gives the pictures in a folder, in the order of the pairs."""
    files = iter([folder / f"{number:03d}.png" for number in pairs])
    return lambda content, style: judges.load(next(files))


def main(folder: Path, limit: int, model: str) -> dict:
    judges, root, out = yardstick.module(folder / "judges.py"), folder / "set", HERE.parent / "runs" / f"optimising-{limit}"
    numbered = list(enumerate(json.loads((root / "pairs.json").read_text())))
    pairs = dict(numbered[::EVERY])
    for name in comparison.PUBLISHED:
        drawn(judges, root, pairs, name, limit, out / name)
    methods = {name: kept_pictures(judges, out / name, pairs) for name in comparison.PUBLISHED}
    methods[model] = yardstick.methods_of(model)[model]
    rows = judged(judges, folder, pairs, methods)
    ahead = {name: yardstick.differences(rows[model], found, list(pairs.values()))
             for name, found in rows.items() if name != model}
    return {"command": f"python benchmarks/optimising.py EVAL_FOLDER --limit {limit}", "pairs": len(pairs), "limit": limit,
            "published": {name: options.iterations for name, options in comparison.PUBLISHED.items()}, "model": model,
            "rows": {name: yardstick.means(found) for name, found in rows.items()}, "ahead": ahead,
            "provenance": environment("cpu") | {"weights": {model: sha256(st.weights.find(model))[:16]}}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=yardstick.eval_folder, metavar="EVAL_FOLDER")
    parser.add_argument("--limit", type=whole(1, 10_000), default=100, help="iterations at every scale")
    parser.add_argument("--model", default="vgg16-half", help="the model that they stand beside: a shipped name")
    given = parser.parse_args()
    write_text(HERE / "optimising.json", json.dumps(main(given.folder, given.limit, given.model), indent=1) + "\n")
