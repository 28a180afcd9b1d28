"""Do flat activations make for good style transfer (Wang et al. 2021, SWAG)? The softmax's temperature as a dial on entropy
(notebook 03): the questions and the rule, as they stood before the dial was turned, and what the recorded run says to them. That
a claim is confounded where the dial also sets how far a picture moves was added after.
"""

from dataclasses import dataclass

import numpy as np

from ..evaluation.intervals import Claim, Interval, confounded, crossed, difference_beyond, exchanged, judge, paired

GAIN = 0.10  # share of the mean distance from the peakiest to the flattest setting
OTHER_FAMILY = {"vgg16": "resnet50", "resnet50-half": "vgg16"}  # network -> the judge that counts
NAMES = {"vgg16": "VGG-16", "resnet50-half": "ResNet-50"}
STRIDES = {
    "vgg16": {"relu1_1": 1, "relu2_1": 2, "relu3_1": 4, "relu4_1": 8, "relu5_1": 16},
    "resnet50-half": {"conv1": 2, "layer1": 4, "layer2": 8, "layer3": 16, "layer4": 32},
}
STRIDE_8 = {"vgg16": "relu4_1", "resnet50-half": "layer2"}
PEAKIER = 0.005  # margin of what is said of the activations themselves


def gain(entropy, distance) -> np.ndarray:
    """By how much of its mean a distance falls from the peakiest to the flattest setting, on the least-squares line of each
    pair; `(settings, pairs)` each: `(pairs,)`."""
    entropy, distance = np.asarray(entropy, dtype=float), np.asarray(distance, dtype=float)
    centred = entropy - entropy.mean(0)
    slope = (centred * (distance - distance.mean(0))).sum(0) / np.maximum((centred**2).sum(0), 1e-12)
    return -slope * (entropy.max(0) - entropy.min(0)) / distance.mean(0)


@dataclass
class Dial:
    """What `benchmarks/swag.py` recorded: a row for each network and temperature, with one value for each pair; and of every
    stage of both networks, what its activations are like on each photograph."""

    record: dict

    def rows(self, network: str) -> list[dict]:
        """One network's settings with a softmax, in order of temperature."""
        return [row for row in self.record["rows"] if row["network"] == network and row["temperature"] is not None]

    def values(self, network: str, measure: str, judge_name: str | None = None) -> np.ndarray:
        """`(settings, pairs)` of "entropy", or of a judge's measure (None: the other family's)."""
        if measure == "entropy":
            return np.array([row[measure] for row in self.rows(network)])
        return np.array([row[judge_name or OTHER_FAMILY[network]][measure] for row in self.rows(network)])

    def plain(self, network: str, measure: str) -> float:
        """The other family's measure of the network's pictures without a softmax, mean over the pairs."""
        (row,) = (row for row in self.record["rows"] if row["network"] == network and row["temperature"] is None)
        return float(np.mean(row[OTHER_FAMILY[network]][measure]))

    def against_plain(self, network: str) -> Interval:
        """By how much the flattest setting's style distance is below that of pictures without a softmax."""
        (row,) = (row for row in self.record["rows"] if row["network"] == network and row["temperature"] is None)
        saved = np.array(row[OTHER_FAMILY[network]]["style"]) - self.values(network, "style")[-1]
        return crossed(saved, *zip(*self.record["pairs"]))

    def gain(self, network: str, measure: str = "style", turned: bool = False) -> Interval:
        """`gain` over the pairs, clustered over contents and styles. turned: the control, the entropies of every pair's settings
        in an order drawn by lot, so that the order from peaky to flat is lost and nothing else is."""
        entropy = self.values(network, "entropy")
        entropy = np.random.default_rng(0).permuted(entropy, axis=0) if turned else entropy
        return crossed(gain(entropy, self.values(network, measure)), *zip(*self.record["pairs"]))

    def reached(self, network: str, measure: str) -> Interval:
        """The gain, had the flattest setting reached the style itself: what a claim that fails could have been."""
        distance = self.values(network, measure)
        distance[-1] = 0
        return crossed(gain(self.values(network, "entropy"), distance), *zip(*self.record["pairs"]))

    def claims(self) -> list[Claim]:
        """For both networks: flatter activations bring the picture closer to the style, and to its strokes. Confounded where the
        dial's ends differ in how much of the photograph they keep, that is, in how far they move a picture at all; a dial that
        works by moving pictures farther can therefore not hold."""
        claims = []
        for network in OTHER_FAMILY:
            moved = self.values(network, "kept").mean(1)
            for measure, what in (("style", "style distance"), ("texture", "style distance in grey")):
                claim = judge(f"{NAMES[network]}: from peaky to flat activations the {what} falls by more than {GAIN:.0%}",
                              "Wang et al. 2021", self.gain(network, measure), "or more contents and styles each",
                              difference_beyond(GAIN),
                              ("entropies in an order drawn by lot", self.gain(network, measure, turned=True)),
                              ("the style itself at the flattest setting", self.reached(network, measure)))
                claims.append(confounded(claim, "the structure kept", float(moved[0]), float(moved[-1])))
        return claims

    def by_stride(self, key: str) -> dict[str, tuple[list[int], list[float]]]:
        """Of both networks by name: the strides of their stages, and there the mean over photographs of "entropy", "peak" or
        "rank" (see `activations`)."""
        return {NAMES[network]: ([STRIDES[network][layer] for layer in layers],
                                 [float(np.mean(row[key])) for row in layers.values()])
                for network, layers in self.record["stages"].items()}

    def peaky(self) -> list[Claim]:
        """At stride 8, the ResNet's activations are peakier and their Gram matrix has fewer independent directions."""
        claims = []
        for what, key in (("its activations have the lower entropy", "entropy"),
                          ("its Gram matrix has the lower effective rank, as a share of its channels", "rank")):
            vgg, resnet = (self.record["stages"][network][layer][key] for network, layer in STRIDE_8.items())
            claims.append(judge(f"ResNet-50 against VGG-16, published weights, at stride 8: {what}", "Wang et al. 2021",
                                paired(vgg, resnet), "photographs", difference_beyond(PEAKIER),
                                ("the two exchanged on every other photograph", exchanged(vgg, resnet)),
                                ("the networks in each other's place", paired(resnet, vgg))))
        return claims
