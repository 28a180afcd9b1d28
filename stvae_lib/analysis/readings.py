"""Three readings of one paper at equal budget (notebook 02): the questions and the rules that decide them, as they stood before
an arm was trained.

All arms have the same autoencoder to begin with, which learns along, the same sizes of matrix and latent, crops, losses and
number of pairs; the decoder is not modulated by the style in any. What differs is the module between encoder and decoder, and how
it starts: `joint` starts in closed form, but for one arm, whose VAE and compressed space are random at first (what it takes out
of the content and puts in of the style are roots of matrices from the start, as they are by construction).
"""

from ..evaluation.intervals import difference_beyond
from .substitution import FARTHER, KEPT, Question

ARMS = {
    "joint": "one code for the whole style, from the closed form",
    "paper": "the module of the paper's figure 1",
    "released": "the published code's module",
    "joint-random": "one code for the whole style, its VAE and compressed space random at first",
    "joint-again": "`joint` with another order of pictures",
    "paper-untrained": "the paper's module, untrained",
    "redrawn": "no style at all: the photograph, encoded and decoded",
}
REDRAWN = "the photograph redrawn without a style, in the other's place", "redrawn", "joint"
SAME = "`joint` with another order of pictures", "joint-again", "joint"
UNTRAINED = "the paper's module untrained, in place of the trained one", "paper-untrained", "joint"


def _against(rival: str, ours: str, name: str) -> list[Question]:
    """`ours` against a reading that is expected to end farther from a style, and to keep more of the photograph for it."""
    return [
        Question(f"{name} ends nearer to the style than `{rival}`, by more than {FARTHER:.0%}", "style", rival, ours,
                 difference_beyond(FARTHER), SAME, UNTRAINED),
        Question(f"{name} ends nearer to the strokes (style in grey) than `{rival}`, by more than {FARTHER:.0%}", "texture",
                 rival, ours, difference_beyond(FARTHER), SAME, UNTRAINED),
        Question(f"{name} keeps less of the photograph than `{rival}`, by more than {KEPT:g} of correlation", "kept", rival, ours,
                 difference_beyond(KEPT), SAME, REDRAWN),
    ]


QUESTIONS = [*_against("paper", "joint", "At equal budget `joint`"), *_against("released", "joint", "At equal budget `joint`"),
             *_against("released", "paper", "At equal budget `paper`"),
             *_against("paper", "joint-random", "From a random start too, `joint`")]
