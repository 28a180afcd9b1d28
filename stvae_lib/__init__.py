"""ST-VAE in the open: models, losses and experiments under the notebooks.

    import stvae_lib as st
    model = st.load("vgg16-half")
    image = st.load_image("photo.jpg", size=512)
    st.save_image(model.stylize(image, style), "out.png")
"""

import os

# A picture's feature maps are large and short-lived, and by huge pages Linux hands out their memory in a fraction of the time.
# PyTorch reads this at its first allocation: it comes too late where tensors were made before.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from .errors import InputError
from .model import weights
from .model.weights import load
from .pictures.images import load_image, save_image

__all__ = ["InputError", "load", "load_image", "save_image", "weights"]
__version__ = "0.1.0"
