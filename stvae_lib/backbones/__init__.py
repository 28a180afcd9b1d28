"""Encoders with mirrored decoders. A new backbone is one file and one line of `BACKBONES`."""

from . import vgg

# name -> module with `build(width) -> (encoder, decoder)` and `pretrained(width="full") -> encoder state dict`.
# An encoder has `features(image, names)`, `last`, `style_layers`, `widths`, `channels`, `stride`;
# a decoder `forward(features, modulation=None)` and `hidden_widths`.
BACKBONES = {"vgg19": vgg.VGG19, "vgg16": vgg.VGG16}
