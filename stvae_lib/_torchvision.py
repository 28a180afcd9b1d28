"""Make `import torchvision` work beside a CPU build of torch.

The package index's Linux wheels of torchvision hold operators compiled for CUDA. Beside a CPU build of torch
these do not load, and torchvision then fails on import, because it describes operators that nobody declared.
Declaring their signatures is enough: this project uses torchvision's models and weights, no operator.
"""

import torch

OPERATORS = ("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
             "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def declare_missing_operators() -> None:
    """Import torchvision, declaring its operators first where their compiled code does not load."""
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        # kept on the function: the declarations are withdrawn when the library object is collected
        declare_missing_operators.library = torch.library.Library("torchvision", "DEF")
        for signature in OPERATORS:
            declare_missing_operators.library.define(signature)
        import torchvision  # noqa: F401
