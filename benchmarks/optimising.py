"""Methods 1 to 3 on every fifth of the yardstick's sixty pairs, beside a model and published networks on the same pairs.

    python benchmarks/optimising.py EVAL_FOLDER [--limit N] [--model NAME]

EVAL_FOLDER as for benchmarks/yardstick.py. The methods ask the published VGG-16 at full width (`stvae fetch vgg16`), at most N
times at every scale (100: published are up to 1,000 and more, see notebook 04), at 256 pixels; minutes of a core a picture.
Pictures are kept in runs/optimising-N as soon as they are drawn: killed and started again, it goes on. Writes
benchmarks/optimising.json: means by judge and measure, and the model less every other method, paired and clustered.
"""

import argparse
import json
import tempfile
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
PEERS = ("microast", "magenta")


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
    """`yardstick.judge_all` of some pairs, every picture's own style and content found among all of the set."""
    with tempfile.TemporaryDirectory() as few:
        yardstick.set_of(folder / "set", list(pairs.values()), Path(few))
        return yardstick.judge_all(judges, Path(few), methods, (yardstick.SIZE,))


def kept_pictures(judges, folder: Path, pairs: dict):
    """A method that gives the pictures in a folder, in the order of the pairs."""
    files = iter([folder / f"{number:03d}.png" for number in pairs])
    return lambda content, style: judges.load(next(files))


def published(judges, reference: dict, pairs: dict, names=PEERS) -> dict:
    """The recorded rows of published networks, or of other names, on some pairs."""
    return {peer: {judge: {measure: [reference[peer][judge][measure][number] for number in pairs]
                           for measure in yardstick.MEASURES} for judge in judges.JUDGES} for peer in names}


def main(folder: Path, limit: int, model: str) -> dict:
    judges, root, out = yardstick.module(folder / "judges.py"), folder / "set", HERE.parent / "runs" / f"optimising-{limit}"
    numbered = list(enumerate(json.loads((root / "pairs.json").read_text())))
    pairs, reference = dict(numbered[::EVERY]), json.loads((root / "reference.json").read_text())
    for name in comparison.PUBLISHED:
        drawn(judges, root, pairs, name, limit, out / name)
    methods = {name: kept_pictures(judges, out / name, pairs) for name in comparison.PUBLISHED}
    methods[model] = yardstick.methods_of(model)[model]
    rows = judged(judges, folder, pairs, methods)
    rows |= published(judges, reference, pairs)
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
