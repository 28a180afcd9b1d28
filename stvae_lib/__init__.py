"""ST-VAE in the open: models, losses and experiments under the notebooks.

    import stvae_lib as st
    model = st.load("vgg16-half")
    image = st.load_image("photo.jpg", size=512)
    st.save_image(model.stylize(image, style), "out.png")
"""

import importlib
import os

# A picture's feature maps are large and short-lived, and by huge pages Linux hands out their memory in a fraction of the time.
# PyTorch reads this at its first allocation: it comes too late where tensors were made before.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from .errors import InputError

__all__ = ["InputError", "load", "load_image", "save_image", "weights"]
__version__ = "0.1.0"

_HOME = {"load": ".model.weights", "load_image": ".pictures.images", "save_image": ".pictures.images"}


def __getattr__(name: str):
    """What is offered here, imported when it is first asked for: a command starts, and can be interrupted, before torch does."""
    if name == "weights":
        return importlib.import_module(".model.weights", __name__)
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
