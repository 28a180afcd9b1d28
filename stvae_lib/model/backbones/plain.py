"""A decoder of a chosen size for whatever encoder: what an experiment on encoders gives to each of them alike."""

import torch
from torch import nn

from ...errors import InputError
from ...statistics import moments
from .contract import UPSAMPLE, DecoderBase

DEEPEST = 8  # channels double from level to level up to this many times the first one's
TOLERANCE = 0.05  # how far a decoder's size may lie from the wanted one


def level_widths(base: float, levels: int) -> list[int]:
    """Channels at every resolution, the coarsest first: `base` at the picture's own, twice that at half of it, and so on."""
    return [max(4, round(base * min(2**level, DEEPEST))) for level in range(levels, -1, -1)]


def hidden_plan(widths: list[int]) -> list[int]:
    """Channels of the hidden layers: two at every resolution but the picture's own, whose second one is the picture."""
    return [width for width in widths[:-1] for _ in range(2)] + widths[-1:]


def size_of(channels: int, widths: list[int]) -> int:
    """Parameters of a decoder with these widths."""
    hidden = hidden_plan(widths)
    return (channels + 1) * hidden[0] + sum((9 * inputs + 1) * outputs for inputs, outputs in zip(hidden, [*hidden[1:], 3]))


class PlainDecoder(DecoderBase):
    """Features `(N, channels, h, w)` to image `(N, 3, stride·h, stride·w)`, unclamped: two 3x3 convolutions at every
    resolution (the very first is 1x1, so that an encoder's number of channels hardly tells on the rest), nearest-neighbour
    upsampling between, as many channels as give `parameters` in all.

    The mirrored decoders of two networks differ in size, depth and kind of block; with this one, encoders are compared on
    equal terms. Features are standardised first, channel by channel, by what `calibrate` measured: published networks differ
    a hundredfold in their scale. InputError where no widths come within 5 % of `parameters`. `modulation`: as in VGGDecoder.
    """

    def __init__(self, channels: int, stride: int, parameters: int):
        levels = stride.bit_length() - 1
        found = min((level_widths(base / 4, levels) for base in range(4, 1024)),
                    key=lambda widths: abs(size_of(channels, widths) - parameters))
        if abs(size_of(channels, found) - parameters) > TOLERANCE * parameters:
            raise InputError(f"decoder_parameters {parameters}", f"cannot be had for {channels} channels at stride {stride}",
                             f"the nearest size is {size_of(channels, found)}")
        pairs = [(f"convs.{2 * level}", f"convs.{2 * level + 1}") for level in range(levels + 1)]
        super().__init__([step for pair in pairs for step in (*pair, UPSAMPLE)][:-1])
        self.hidden_widths = hidden_plan(found)
        self.convs = nn.ModuleList([nn.Conv2d(channels, self.hidden_widths[0], 1)])
        for inputs, outputs in zip(self.hidden_widths, [*self.hidden_widths[1:], 3]):
            self.convs.append(nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect"))
        self.register_buffer("centre", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(channels))

    @classmethod
    def of(cls, encoder, parameters: int) -> "PlainDecoder":
        """The decoder of an encoder's features; InputError where they have a skip."""
        if encoder.skip:
            raise InputError(f"skip {encoder.skip!r}", "is unknown to a plain decoder", "leave decoder_parameters out")
        return cls(encoder.channels, encoder.stride, parameters)

    @torch.no_grad()
    def calibrate(self, features: torch.Tensor) -> None:
        """Measure centre and scale on the features of training pictures; channels that hardly ever stir are not blown up."""
        mean, deviation = moments(features.float().movedim(1, 0).flatten(1)[None, :, :, None])
        self.centre.copy_(mean[0])
        self.scale.copy_(deviation[0].clamp_min(0.1 * deviation.mean()))

    def entered(self, features: torch.Tensor) -> torch.Tensor:
        return (features - self.centre[:, None, None]) / self.scale[:, None, None]
