"""Encoders with mirrored decoders. A new backbone is one file and one line of `BACKBONES`."""

from . import resnet, vgg

# name -> an object with
#   build(width, **options) -> (encoder, decoder), at random;
#   student(width, **options) -> encoder and teacher_layers {its layer: VGG-19's}, for distillation;
#   pretrained(source=None, **options) -> full-width encoder with published weights, all of it with **all_stages.
# An encoder has features(image, names), last, style_layers, widths, channels, stride, and where it needs one an
# `adapter` that the autoencoder trains; a decoder has forward(features, modulation=None) and hidden_widths.
BACKBONES = {"vgg19": vgg.VGG19, "vgg16": vgg.VGG16, "vgg16-imagenet": vgg.VGG16_IMAGENET, "resnet50": resnet.RESNET50}
