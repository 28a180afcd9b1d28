"""Encoders with mirrored decoders. A new backbone is one file and one line of `BACKBONES`."""

from . import resnet, vgg
from .contract import Backbone

BACKBONES: dict[str, Backbone] = {"vgg19": vgg.VGG19, "vgg16": vgg.VGG16, "vgg16-imagenet": vgg.VGG16_IMAGENET,
                                  "resnet50": resnet.RESNET50, "resnet50-half": resnet.RESNET50_HALF}
