"""Two slim students by two published teachers (notebook 03): the questions and the rules that decide them, as they stood before
a decoder was trained behind one of them.

Distilled features look like their teacher's as far as they fit it, and a student that fits better has less of its own. So the
ResNet students, which fit better, were trained for fewer steps, chosen from the logs of longer trainings, so that what they do
not explain of a teacher comes within `MATCHED` of what the VGG student does not. Both are cut at 128 channels and stride 8, in
front of decoders of 400,000 weights.
"""

from ..evaluation.intervals import Claim, confounded, difference_beyond, no_difference_beyond
from .substitution import FARTHER, KEPT, REDRAWS, Question

MATCHED = 0.10  # share of the larger of two unexplained variances that they may differ by
TEACHERS = {"vgg16": "VGG-16", "resnet50": "ResNet-50"}
STUDENTS = {"vgg19": "VGG", "resnet50-shorter": "ResNet"}
ARMS = {
    "vgg19-by-vgg16": "VGG pupil of VGG-16",
    "resnet50-shorter-by-vgg16": "ResNet pupil of VGG-16, trained shorter",
    "vgg19-by-resnet50": "VGG pupil of ResNet-50",
    "resnet50-shorter-by-resnet50": "ResNet pupil of ResNet-50, trained shorter",
    "resnet50-by-vgg16": "ResNet pupil of VGG-16, trained as long as the VGG",
    "resnet50-by-resnet50": "ResNet pupil of ResNet-50, trained as long as the VGG",
    "vgg19-by-vgg16-again": "VGG pupil of VGG-16, behind it another decoder and transform",
    "vgg19-by-vgg16-deeper": "VGG pupil of VGG-16, cut a stage deeper, at relu5_1",
    "vgg19-untaught": "the VGG pupil with random weights",
    "redrawn": "no style at all: the photograph, redrawn by vgg19-slim-autoencoder",
}
AGAIN = "the same pupil behind another decoder", "vgg19-by-vgg16-again", "vgg19-by-vgg16"
DEEPER = "the pupil cut a stage deeper", "vgg19-by-vgg16-deeper", "vgg19-by-vgg16"
REDRAWN = "the photograph redrawn without a style, in the pupil's place", "redrawn", "vgg19-by-vgg16"


def _kinds(key: str, teacher: str) -> list[Question]:
    """The two students of one teacher, which they fit alike."""
    pair = f"resnet50-shorter-by-{key}", f"vgg19-by-{key}"
    begin = f"Taught by {teacher} and fitting it alike, a ResNet and a VGG"
    return [Question(f"{begin} are redrawn from alike, within {REDRAWS:g} dB", "psnr", *pair, no_difference_beyond(REDRAWS),
                     DEEPER, AGAIN),
            Question(f"{begin} come as close to a style, within {FARTHER:.0%}", "style", *pair, no_difference_beyond(FARTHER),
                     REDRAWN, AGAIN),
            Question(f"{begin} keep as much of the photograph, within {KEPT:g} of correlation", "kept", *pair,
                     no_difference_beyond(KEPT), REDRAWN, AGAIN)]


def _teachers(key: str, student: str) -> list[Question]:
    """One student by two teachers: what of the difference between the published networks their students have."""
    vgg, resnet = f"{key}-by-vgg16", f"{key}-by-resnet50"
    return [Question(f"Taught by VGG-16 a {student} is redrawn from worse than taught by ResNet-50, by more than {REDRAWS:g} dB",
                     "psnr", vgg, resnet, difference_beyond(REDRAWS), AGAIN, DEEPER, sign=-1),
            Question(f"Taught by VGG-16 a {student} ends farther from a style than taught by ResNet-50, by more than "
                     f"{FARTHER:.0%}", "style", vgg, resnet, difference_beyond(FARTHER), AGAIN, REDRAWN)]


def _fit(key: str, teacher: str) -> Question:
    """A ResNet that was taught longer, and fits its teacher better than the VGG does."""
    return Question(f"A ResNet that fits {teacher} better, taught longer, is redrawn from as well as one that fits it less, "
                    f"within {REDRAWS:g} dB", "psnr", f"resnet50-by-{key}", f"resnet50-shorter-by-{key}",
                    no_difference_beyond(REDRAWS), DEEPER, AGAIN)


QUESTIONS = [*(row for key, teacher in TEACHERS.items() for row in _kinds(key, teacher)),
             *(row for key, student in STUDENTS.items() for row in _teachers(key, student)),
             *(_fit(key, teacher) for key, teacher in TEACHERS.items()),
             Question(f"Untaught, a VGG pupil is redrawn from worse than taught by VGG-16, by more than {REDRAWS:g} dB", "psnr",
                      "vgg19-untaught", "vgg19-by-vgg16", difference_beyond(REDRAWS), AGAIN, DEEPER, sign=-1),
             Question(f"Untaught, a VGG pupil ends farther from a style than taught by VGG-16, by more than {FARTHER:.0%}",
                      "style", "vgg19-untaught", "vgg19-by-vgg16", difference_beyond(FARTHER), AGAIN, REDRAWN)]


def at_one_fit(claim: Claim, unexplained: float, other: float) -> Claim:
    """A claim on two pupils, by the shares of their teachers' variance that they do not explain: confounded unless they fit
    alike, within `MATCHED` of the larger."""
    return confounded(claim, "the teacher's variance left unexplained", unexplained, other, tolerance=1 / (1 - MATCHED))
