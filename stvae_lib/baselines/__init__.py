"""Methods that ST-VAE is compared with. Each is `method(content, styles, network, **options) -> (image, history)`;
`network` is a frozen loss network for the three that optimise, an autoencoder for the two that move statistics."""

from .gatys import full_width_ratio, method_1, method_2
from .patches import SLIM_SETTINGS, method_3
from .statistics import adain, wct

OPTIMISING = {"method-1": method_1, "method-2": method_2, "method-3": method_3}
STATISTICAL = {"adain": adain, "wct": wct}


def settings_for(name: str, network) -> dict:
    """Options by which a method departs from its published ones with a slim loss network; none at full width."""
    return SLIM_SETTINGS if name == "method-3" and full_width_ratio(network, "relu1_1") > 1 else {}
