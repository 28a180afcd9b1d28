"""torchvision, also beside a CPU build of torch, and not before it is needed: importing it takes longer than stylising.

The package index's Linux wheels of torchvision hold operators compiled for CUDA. Beside a CPU build of torch
these do not load, and torchvision then fails on import, because it describes operators that nobody declared.
Declaring their signatures is enough: this project uses torchvision's models and weights, no operator.
"""

import torch

OPERATORS = ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
             "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def torchvision_models():
    """The module `torchvision.models`, its operators declared first where their compiled code does not load."""
    try:
        from torchvision import models
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        # kept on the function: the declarations are withdrawn when the library object is collected
        torchvision_models.library = torch.library.Library("torchvision", "DEF")
        for signature in OPERATORS:
            torchvision_models.library.define(signature)
        from torchvision import models
    return models
