"""ST-VAE in the open: models, losses and experiments under the notebooks.

    import stvae_lib as st
    model = st.load("vgg19-slim")
    image = st.load_image("photo.jpg", size=512)
    st.save_image(model.stylize(image, style), "out.png")
"""

from ._torchvision import declare_missing_operators

declare_missing_operators()  # before anything that imports torchvision, as torchmetrics does

from .errors import InputError  # noqa: E402
from .model import weights  # noqa: E402
from .model.weights import load  # noqa: E402
from .pictures.images import load_image, save_image  # noqa: E402

__all__ = ["InputError", "load", "load_image", "save_image", "weights"]
__version__ = "0.1.0"
