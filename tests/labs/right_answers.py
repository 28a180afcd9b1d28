"""Right answers that look otherwise than the masters' solutions: every check must let them pass."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Right:
    """A right answer. what: in a few words, how it goes about it."""

    lab: str
    exercise: str
    what: str
    source: str


RIGHT = [
    Right("01_features", "gram", "a sum over places",
          "def gram_matrix(features):\n    return torch.einsum('in,jn->ij', features, features) / features.shape[1]"),
    Right("01_features", "covariance", "torch's, with n - 1", "def covariance_matrix(features):\n    return torch.cov(features)"),
    Right("01_features", "power", "in double precision",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix.double())\n"
          "    values = torch.maximum(values, floor * values.max())\n"
          "    return (vectors @ torch.diag(values**exponent) @ vectors.T).float()"),
    Right("01_features", "whiten", "an inverse of the root",
          "def whiten(features):\n    centred = features - features.mean(1, keepdim=True)\n"
          "    return torch.linalg.inv(power(torch.cov(features), 0.5)) @ centred"),
    Right("01_features", "adain", "deviations with n in their denominator",
          "def adain(content, style):\n"
          "    normal = (content - content.mean(1, keepdim=True)) / (content.std(1, keepdim=True, correction=0) + 1e-5)\n"
          "    return style.std(1, keepdim=True) * normal + style.mean(1, keepdim=True)"),
    Right("01_features", "adain", "an instance norm",
          "def adain(content, style):\n    normal = torch.nn.functional.instance_norm(content[None])[0]\n"
          "    return style.std(1, keepdim=True) * normal + style.mean(1, keepdim=True)"),
    Right("01_features", "adain", "a layer norm over places",
          "def adain(content, style):\n    normal = torch.nn.functional.layer_norm(content, content.shape[1:])\n"
          "    return style.std(1, keepdim=True) * normal + style.mean(1, keepdim=True)"),
    Right("02_vae", "kl", "torch's own",
          "def kl_to_prior(mu, log_sigma):\n    from torch.distributions import Normal, kl_divergence\n\n"
          "    return kl_divergence(Normal(mu, log_sigma.exp()), Normal(torch.zeros_like(mu), torch.ones_like(mu)))"),
    Right("02_vae", "predict", "the largest eigenvalues",
          "def predicted_active(points, beta, noise, latent):\n    values = torch.linalg.eigvalsh(torch.cov(points.T)).flip(0)\n"
          "    return (values[:latent] > beta * noise**2).sum()"),
    Right("02_vae", "predict", "singular values",
          "def predicted_active(points, beta, noise, latent):\n"
          "    values = torch.linalg.svdvals(points - points.mean(0))**2 / (len(points) - 1)\n"
          "    return min(int(sum(values > beta * noise**2)), latent)"),
    Right("03_linear_transform", "mix", "a weighted sum",
          "def mix(mus, log_sigmas, shares):\n    shares = (shares / sum(shares))[:, None]\n"
          "    return (shares * mus).sum(0), (shares * log_sigmas.exp() ** 2).sum(0).sqrt().log()"),
    Right("04_experiment", "plan", "training stated, the families as control",
          "def plan():\n    return {'better': 'resnet', 'worse': 'resnet-untrained', 'margin': 1, 'unit': 'picture',\n"
          "            'control': ('resnet', 'vgg')}"),
    Right("04_experiment", "plan", "a margin of NumPy's",
          "def plan():\n    control = 'resnet-untrained', 'vgg-untrained'\n"
          "    return {'better': 'resnet', 'worse': 'vgg', 'margin': np.float32(0.5), 'unit': 'picture', 'control': control}"),
    Right("04_experiment", "psnr", "the root of the MSE",
          "def psnr(output, target):\n    return -20 * (output - target).square().flatten(1).mean(1).sqrt().log10()"),
    Right("04_experiment", "interval", "by scipy",
          "def paired_interval(first, second):\n    return stats.ttest_rel(first, second).confidence_interval(0.95)"),
]
