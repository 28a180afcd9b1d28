"""Features in another number of channels, so that an experiment can tell a network from its width."""

import torch
import torch.nn.functional as F
from torch import nn

from ...statistics import sampled_rows


class PrincipalComponents(nn.Module):
    """Features `(N, inputs, h, w)` in `outputs` channels `(N, outputs, h, w)`: their first principal components, turned by a
    random rotation so that the variance lies on all channels alike. More channels than before hold what there was, fewer the
    most of it. Measured once (`measure`) and never trained."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.register_buffer("weight", torch.zeros(outputs, inputs))

    @torch.no_grad()
    def measure(self, features: torch.Tensor) -> None:
        """Set the components from the features of training pictures `(N, inputs, h, w)`."""
        outputs, inputs = self.weight.shape
        rows = sampled_rows(features).double()
        _, axes = torch.linalg.eigh(torch.cov(rows.T))
        axes = axes.flip(1)[:, :min(outputs, inputs)]
        noise = torch.randn(outputs, outputs, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        rotation = torch.linalg.qr(noise)[0][:, :axes.shape[1]]
        self.weight.copy_(rotation @ axes.T)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return F.conv2d(features, self.weight.to(features.dtype)[:, :, None, None])
