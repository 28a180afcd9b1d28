"""Rewrite the table of data/README.md: every shipped image and weight with source, author, licence and checksum.

    python data/inventory.py
"""

import json
from pathlib import Path

from stvae_lib.provenance import sha256

HERE = Path(__file__).resolve().parent
START, END = "<!-- table: python data/inventory.py -->", "<!-- end of table -->"
AUTHOR = "the ST-VAE Notebooks authors"


def rows():
    """One Markdown table row per file."""
    for file in sorted((HERE / "styles").glob("*.png")):
        kind, seed = file.stem.rsplit("_", 1)
        source = f"generated: `stvae styles`, kind {kind}, seed {seed}"
        yield f"| `{file.name}` | {source} | {AUTHOR} | CC-BY-4.0 | {sha256(file)[:16]} |"
    # weights, each with its card
    cards = {file: file.with_suffix(".json") for file in sorted((HERE / "weights").glob("*.safetensors"))}
    for file, card in cards.items():
        recipe = json.loads(card.read_text())["recipe"]
        command = f"stvae train {recipe['recipe']} --config data/runs/{recipe['name']}/config.json"
        yield f"| `{file.name}` | trained: `{command}` | {AUTHOR} | MIT | {sha256(file)[:16]} |"


def main() -> None:
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    table = "\n".join(["| file | source | author | licence | SHA-256 (first 16) |", "| --- | --- | --- | --- | --- |", *rows()])
    before, after = text.split(START)[0], text.split(END)[1]
    readme.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
