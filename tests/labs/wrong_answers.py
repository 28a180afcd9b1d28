"""Common wrong answers to the labs' exercises, and what the check of each must say.

`docs/teaching.md` lists them for instructors; `test_labs.py` tries every one.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A wrong answer. what: in a few words, as the instructor's guide has it. message: a part of what its check must say.
    hidden: whether only the hidden tests see it."""

    lab: str
    exercise: str
    what: str
    source: str
    message: str
    hidden: bool = False


FEATURES = [
    Wrong("01_features", "gram", "the other factor transposed",
          "def gram_matrix(features):\n    return features.T @ features / features.shape[1]", "it compares places"),
    Wrong("01_features", "gram", "not divided by the number of places",
          "def gram_matrix(features):\n    return features @ features.T", "did you divide by the number of places?"),
    Wrong("01_features", "gram", "centred too early",
          "def gram_matrix(features):\n    centred = features - features.mean(1, keepdim=True)\n"
          "    return centred @ centred.T / features.shape[1]", "nothing is centred here"),
    Wrong("01_features", "gram", "divided by the channels, too",
          "def gram_matrix(features):\n    return features @ features.T / features.numel()", "and by nothing else"),
    Wrong("01_features", "covariance", "the features themselves changed",
          "def covariance_matrix(features):\n    features -= features.mean(1, keepdim=True)\n    return gram_matrix(features)",
          "your function changed the features"),
    Wrong("01_features", "covariance", "not centred at all",
          "def covariance_matrix(features):\n    return gram_matrix(features)", "did you centre each channel"),
    Wrong("01_features", "covariance", "centred over channels",
          "def covariance_matrix(features):\n    return gram_matrix(features - features.mean(0, keepdim=True))",
          "did you centre each channel by its own mean over the places?"),
    Wrong("01_features", "covariance", "the correlation in place of the covariance",
          "def covariance_matrix(features):\n    return torch.corrcoef(features)", "that is the correlation"),
    Wrong("01_features", "covariance", "the covariance not divided by the number of places",
          "def covariance_matrix(features):\n    centred = features - features.mean(1, keepdim=True)\n"
          "    return centred @ centred.T",
          "is the sum over places divided by n?"),
    Wrong("01_features", "power", "powers of the entries",
          "def power(matrix, exponent, floor=1e-4):\n    return matrix**exponent", "is not the roots of its entries"),
    Wrong("01_features", "power", "the turns in the wrong order",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    return vectors.T * values.clamp_min(1e-9)**exponent @ vectors", "your root times itself is not the matrix"),
    Wrong("01_features", "power", "the eigenvalues' powers, no matrix made of them",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    return values.clamp_min(floor * values.max())**exponent", "give a matrix again"),
    Wrong("01_features", "power", "no floor under the eigenvalues",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    return vectors * values**exponent @ vectors.T", "up to the floor"),
    Wrong("01_features", "power", "an absolute floor",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    return vectors * values.clamp_min(floor)**exponent @ vectors.T", "relative to the largest", hidden=True),
    Wrong("01_features", "power", "small eigenvalues dropped, and the floor not used",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    kept = values > 1e-4 * values.max()\n"
          "    return vectors[:, kept] * values[kept]**exponent @ vectors[:, kept].T", "and not be dropped", hidden=True),
    Wrong("01_features", "power", "a floor added to the eigenvalues",
          "def power(matrix, exponent, floor=1e-4):\n"
          "    values, vectors = torch.linalg.eigh(matrix)\n"
          "    values = values.clamp_min(0) + floor * values.max()\n"
          "    return vectors * values**exponent @ vectors.T",
          "nothing is added to eigenvalues"),
    Wrong("01_features", "power", "a floor relative to the eigenvalues' sum",
          "def power(matrix, exponent, floor=1e-4):\n"
          "    values, vectors = torch.linalg.eigh(matrix)\n"
          "    return vectors * values.clamp_min(floor * values.sum())**exponent @ vectors.T",
          "not of their sum", hidden=True),
    Wrong("01_features", "power", "only negative eigenvalues held up",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    values = torch.where(values <= 0, floor * values.max(), values)\n"
          "    return vectors * values**exponent @ vectors.T", "small positive eigenvalues are held up, too", hidden=True),
    Wrong("01_features", "power", "a floor relative to the largest entry",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    return vectors * values.clamp_min(floor * matrix.max())**exponent @ vectors.T", "not of the largest entry",
          hidden=True),
    Wrong("01_features", "power", "eigenvalues held up for negative exponents alone",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    if exponent < 0:\n        values = values.clamp_min(floor * values.max())\n"
          "    return vectors * values**exponent @ vectors.T", "whatever the exponent"),
    Wrong("01_features", "power", "eigenvalues held up to 0 for positive exponents",
          "def power(matrix, exponent, floor=1e-4):\n    values, vectors = torch.linalg.eigh(matrix)\n"
          "    values = values.clamp_min(floor * values.max() if exponent < 0 else 0)\n"
          "    return vectors * values**exponent @ vectors.T", "whatever the exponent", hidden=True),
    Wrong("01_features", "whiten", "the features themselves changed",
          "def whiten(features):\n    features -= features.mean(1, keepdim=True)\n"
          "    return power(covariance_matrix(features), -0.5) @ features", "your function changed the features"),
    Wrong("01_features", "whiten", "deviations alone taken out",
          "def whiten(features):\n    return (features - features.mean(1, keepdim=True)) / features.std(1, keepdim=True)",
          "did you divide by deviations alone"),
    Wrong("01_features", "whiten", "the root in place of the inverse root",
          "def whiten(features):\n"
          "    return power(covariance_matrix(features), 0.5) @ (features - features.mean(1, keepdim=True))",
          "use the wrong power"),
    Wrong("01_features", "whiten", "the mean left in",
          "def whiten(features):\n    return power(covariance_matrix(features), -0.5) @ features", "still have a mean"),
    Wrong("01_features", "whiten", "white, but turned (Cholesky)",
          "def whiten(features):\n    factor = torch.linalg.cholesky(torch.linalg.inv(covariance_matrix(features)))\n"
          "    return factor.T @ (features - features.mean(1, keepdim=True))", "white, but turned", hidden=True),
    Wrong("01_features", "whiten", "white along the principal axes, not turned back",
          "def whiten(features):\n    values, vectors = torch.linalg.eigh(covariance_matrix(features))\n"
          "    return torch.diag(values**-0.5) @ vectors.T @ (features - features.mean(1, keepdim=True))",
          "which moves features least", hidden=True),
    Wrong("01_features", "whiten", "deviations divided out first, then the correlation whitened",
          "def whiten(features):\n    scaled = (features - features.mean(1, keepdim=True)) / features.std(1, keepdim=True)\n"
          "    return power(covariance_matrix(scaled), -0.5) @ scaled", "white, but turned", hidden=True),
    Wrong("01_features", "whiten", "the Gram matrix in place of the covariance",
          "def whiten(features):\n"
          "    return power(gram_matrix(features), -0.5) @ (features - features.mean(1, keepdim=True))",
          "take the Gram matrix for the covariance?"),
    Wrong("01_features", "adain", "the features themselves changed",
          "def adain(content, style):\n    content -= content.mean(1, keepdim=True)\n"
          "    return content / (content.std(1, keepdim=True) + 1e-5) * style.std(1, keepdim=True) + style.mean(1, keepdim=True)",
          "your function changed the features"),
    Wrong("01_features", "adain", "content and style exchanged",
          "def adain(content, style):\n    normal = (style - style.mean(1, keepdim=True)) / style.std(1, keepdim=True)\n"
          "    return content.std(1, keepdim=True) * normal + content.mean(1, keepdim=True)", "changed their roles"),
    Wrong("01_features", "adain", "one deviation for all channels",
          "def adain(content, style):\n    normal = (content - content.mean(1, keepdim=True)) / content.std()\n"
          "    return style.std() * normal + style.mean(1, keepdim=True)", "one for each channel"),
    Wrong("01_features", "adain", "nothing added to a deviation of 0",
          "def adain(content, style):\n    normal = (content - content.mean(1, keepdim=True)) / content.std(1, keepdim=True)\n"
          "    return style.std(1, keepdim=True) * normal + style.mean(1, keepdim=True)",
          "a constant channel gave NaN"),
    Wrong("01_features", "adain", "the sign turned round: an inverted photograph",
          "def adain(content, style):\n"
          "    normal = (content.mean(1, keepdim=True) - content) / (content.std(1, keepdim=True) + 1e-5)\n"
          "    return style.std(1, keepdim=True) * normal + style.mean(1, keepdim=True)",
          "check the sign", hidden=True),
    Wrong("01_features", "adain", "variances in place of deviations",
          "def adain(content, style):\n"
          "    normal = (content - content.mean(1, keepdim=True)) / (content.var(1, keepdim=True) + 1e-5)\n"
          "    return style.var(1, keepdim=True) * normal + style.mean(1, keepdim=True)", "Is it std, not var?"),
    Wrong("01_features", "adain", "1e-5 added after the division",
          "def adain(content, style):\n"
          "    normal = (content - content.mean(1, keepdim=True)) / content.std(1, keepdim=True) + 1e-5\n"
          "    return style.std(1, keepdim=True) * normal + style.mean(1, keepdim=True)", "in brackets, before you divide by it"),
    Wrong("01_features", "adain", "not centred",
          "def adain(content, style):\n    normal = content / (content.std(1, keepdim=True) + 1e-5)\n"
          "    return style.std(1, keepdim=True) * normal + style.mean(1, keepdim=True)", "take the content's own out first"),
    Wrong("01_features", "wct", "the style's mean forgotten",
          "def wct(content, style):\n    return power(covariance_matrix(style), 0.5) @ whiten(content)",
          "the mean is not the style's"),
    Wrong("01_features", "wct", "coloured before it was whitened",
          "def wct(content, style):\n    centred = content - content.mean(1, keepdim=True)\n"
          "    matrix = power(covariance_matrix(content), -0.5) @ power(covariance_matrix(style), 0.5)\n"
          "    return matrix @ centred + style.mean(1, keepdim=True)", "first whiten (power -0.5), then colour"),
    Wrong("01_features", "wct", "coloured by a Cholesky factor",
          "def wct(content, style):\n    return torch.linalg.cholesky(covariance_matrix(style)) @ whiten(content)"
          " + style.mean(1, keepdim=True)", "must stay as it is", hidden=True),
    Wrong("01_features", "wct", "Cholesky factors on both sides",
          "def wct(content, style):\n    factor = torch.linalg.cholesky\n"
          "    matrix = factor(covariance_matrix(style)) @ torch.linalg.inv(factor(covariance_matrix(content)))\n"
          "    return matrix @ (content - content.mean(1, keepdim=True)) + style.mean(1, keepdim=True)",
          "turned on the way", hidden=True),
]
VAE = [
    Wrong("02_vae", "reparameterise", "eps never used, as in the published code",
          "def reparameterise(mu, log_sigma, eps):\n    return mu + log_sigma.exp()", "eps changes nothing"),
    Wrong("02_vae", "reparameterise", "log sigma read as log sigma²",
          "def reparameterise(mu, log_sigma, eps):\n    return mu + (0.5 * log_sigma).exp() * eps", "no half is needed"),
    Wrong("02_vae", "reparameterise", "log sigma taken for sigma",
          "def reparameterise(mu, log_sigma, eps):\n    return mu + log_sigma * eps", "what does the logarithm want?"),
    Wrong("02_vae", "reparameterise", "detached: no gradient flows",
          "def reparameterise(mu, log_sigma, eps):\n    return (mu + log_sigma.exp() * eps).detach()",
          "no gradient flows", hidden=True),
    Wrong("02_vae", "reparameterise", "sigma detached: nothing is learned of it",
          "def reparameterise(mu, log_sigma, eps):\n"
          "    return mu + log_sigma.exp().detach() * eps",
          "or none to sigma", hidden=True),
    Wrong("02_vae", "reparameterise", "a draw of its own in place of the eps that is given",
          "def reparameterise(mu, log_sigma, eps):\n    return mu + log_sigma.exp() * torch.randn_like(eps)", "not drawn"),
    Wrong("02_vae", "kl", "the -1 forgotten",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 2 * log_sigma)",
          "is the -1 there?"),
    Wrong("02_vae", "kl", "the sign turned round",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (1 + 2 * log_sigma - mu**2 - (2 * log_sigma).exp())",
          "check the signs"),
    Wrong("02_vae", "kl", "summed already",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(1)",
          "one value for each entry"),
    Wrong("02_vae", "kl", "log sigma read as log sigma² in the KL",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (mu**2 + log_sigma.exp() - 1 - log_sigma)",
          "log sigma² is twice log sigma"),
    Wrong("02_vae", "kl", "log sigma in place of log sigma², the square of sigma right",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - log_sigma)",
          "log sigma = 1 costs 2.19 nats, not 2.69"),
    Wrong("02_vae", "kl", "a detached KL",
          "def kl_to_prior(mu, log_sigma):\n"
          "    return (0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma)).detach()",
          "no gradient flows through your KL", hidden=True),
    Wrong("02_vae", "kl", "no gradient to sigma",
          "def kl_to_prior(mu, log_sigma):\n    log_sigma = log_sigma.detach()\n"
          "    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - 2 * log_sigma)", "or none to sigma", hidden=True),
    Wrong("02_vae", "kl", "the exponential doubled, not what stands in it",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (mu**2 + 2 * log_sigma.exp() - 1 - 2 * log_sigma)",
          "Is sigma² (2 * log_sigma).exp()"),
    Wrong("02_vae", "kl", "the logarithm of a square of log sigma",
          "def kl_to_prior(mu, log_sigma):\n"
          "    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - torch.log(log_sigma**2))", "and log sigma² 2 * log_sigma?"),
    Wrong("02_vae", "kl", "the half of two terms only",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (mu**2 + (2 * log_sigma).exp()) - 1 - 2 * log_sigma",
          "Is the half of all four terms?"),
    Wrong("02_vae", "kl", "log sigma² read as the square of log sigma",
          "def kl_to_prior(mu, log_sigma):\n    return 0.5 * (mu**2 + (2 * log_sigma).exp() - 1 - log_sigma**2)",
          "log sigma² is 2 * log_sigma, and is subtracted"),
    Wrong("02_vae", "elbo", "the mean over a point's numbers",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).square().mean(1) / (2 * noise**2) + beta * kl_to_prior(mu, log_sigma).sum(1)).mean()",
          "not their mean?"),
    Wrong("02_vae", "elbo", "twice the noise squared",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).square().sum(1) / (2 * noise)**2 + beta * kl_to_prior(mu, log_sigma).sum(1)).mean()",
          "not (2 · noise)²"),
    Wrong("02_vae", "elbo", "absolute values in place of squares",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).abs().sum(1) / (2 * noise**2) + beta * kl_to_prior(mu, log_sigma).sum(1)).mean()",
          "this costs 18"),
    Wrong("02_vae", "elbo", "the ELBO's noise not squared",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).square().sum(1) / noise + beta * kl_to_prior(mu, log_sigma).sum(1)).mean()", "this costs 18"),
    Wrong("02_vae", "elbo", "a plain number, which no gradient goes through",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    redrawn = (x - x_hat).square().sum(1) / (2 * noise**2)\n"
          "    return (redrawn + beta * kl_to_prior(mu, log_sigma).sum(1)).mean().item()", "leave it a tensor"),
    Wrong("02_vae", "elbo", "beta forgotten",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).square().sum(1) / (2 * noise**2) + kl_to_prior(mu, log_sigma).sum(1)).mean()",
          "where is beta?"),
    Wrong("02_vae", "elbo", "beta times everything",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return beta * ((x - x_hat).square().sum(1) / (2 * noise**2) + kl_to_prior(mu, log_sigma).sum(1)).mean()",
          "beta must not weigh the redrawing"),
    Wrong("02_vae", "elbo", "the KL summed over points, too",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).square().sum(1) / (2 * noise**2)).mean() + beta * kl_to_prior(mu, log_sigma).sum()",
          "a mean over points"),
    Wrong("02_vae", "elbo", "a detached loss",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    redrawn = (x - x_hat).square().sum(1) / (2 * noise**2)\n"
          "    return (redrawn + beta * kl_to_prior(mu, log_sigma).sum(1)).mean().detach()",
          "no gradient flows through your loss", hidden=True),
    Wrong("02_vae", "elbo", "the KL subtracted",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).square().sum(1) / (2 * noise**2) - beta * kl_to_prior(mu, log_sigma).sum(1)).mean()",
          "KL is added"),
    Wrong("02_vae", "elbo", "the mean over dimensions of the KL",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    return ((x - x_hat).square().sum(1) / (2 * noise**2) + beta * kl_to_prior(mu, log_sigma).mean(1)).mean()",
          "which is a sum over dimensions"),
    Wrong("02_vae", "elbo", "a detached KL in the loss",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    redrawn = (x - x_hat).square().sum(1) / (2 * noise**2)\n"
          "    return (redrawn + beta * kl_to_prior(mu, log_sigma).sum(1).detach()).mean()",
          "or none the code", hidden=True),
    Wrong("02_vae", "elbo", "half of mu² in place of the KL",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    redrawn = (x - x_hat).square().sum(1) / (2 * noise**2)\n"
          "    return (redrawn + beta * 0.5 * mu.square().sum(1)).mean()",
          "and the KL exercise 2's?", hidden=True),
    Wrong("02_vae", "elbo", "twice the mean in place of the sum",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    redrawn = 2 * (x - x_hat).square().mean(1) / (2 * noise**2)\n"
          "    return (redrawn + beta * 2 * kl_to_prior(mu, log_sigma).mean(1)).mean()",
          "Are both sums sums", hidden=True),
    Wrong("02_vae", "elbo", "the redrawing detached: nothing learns to redraw",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    redrawn = (x - x_hat.detach()).square().sum(1) / (2 * noise**2)\n"
          "    return (redrawn + beta * kl_to_prior(mu, log_sigma).sum(1)).mean()", "no gradient reaches the redrawing",
          hidden=True),
    Wrong("02_vae", "elbo", "two dimensions taken for granted",
          "def negative_elbo(x, x_hat, mu, log_sigma, beta, noise):\n"
          "    redrawn = (x - x_hat).square().sum(1) / (2 * noise**2)\n"
          "    return redrawn.mean() + beta * 2 * kl_to_prior(mu, log_sigma).mean()", "sums over all of them", hidden=True),
    Wrong("02_vae", "active", "the size of mu in place of its variance",
          "def active(mu, threshold=0.01):\n    return mu.abs().mean(0) > threshold", "Look at the variance, not at the value"),
    Wrong("02_vae", "active", "a list of answers",
          "def active(mu, threshold=0.01):\n    return [bool(column.var() > threshold) for column in mu.T]",
          "a tensor of True and False"),
    Wrong("02_vae", "active", "the variance over dimensions",
          "def active(mu, threshold=0.01):\n    return mu.var(1) > threshold", "take the variance over the points"),
    Wrong("02_vae", "active", "the deviation in place of the variance",
          "def active(mu, threshold=0.01):\n    return mu.std(0) > threshold", "the threshold is of the variance", hidden=True),
    Wrong("02_vae", "active", "a sum of squares in place of their mean",
          "def active(mu, threshold=0.01):\n    return (mu - mu.mean(0)).square().sum(0) > threshold",
          "which is a mean of squares", hidden=True),
    Wrong("02_vae", "active", "the range in place of the variance",
          "def active(mu, threshold=0.01):\n    return ((mu.amax(0) - mu.amin(0)) / 2).square() > threshold",
          "not the range", hidden=True),
    Wrong("02_vae", "predict", "the noise not squared",
          "def predicted_active(points, beta, noise, latent):\n"
          "    return min(latent, int((torch.linalg.eigvalsh(torch.cov(points.T)) > beta * noise).sum()))",
          "did you forget the square?"),
    Wrong("02_vae", "predict", "a formula for the check's own numbers",
          "def predicted_active(points, beta, noise, latent):\n"
          "    return min(latent, sum(v > beta * noise**2 for v in (1.0, 0.3)))",
          "right for the points of the check above", hidden=True),
    Wrong("02_vae", "predict", "more active than there are latent dimensions",
          "def predicted_active(points, beta, noise, latent):\n"
          "    return int((torch.linalg.eigvalsh(torch.cov(points.T)) > beta * noise**2).sum())",
          "no more than one can be active"),
    Wrong("02_vae", "predict", "variances along the axes, no eigenvalues",
          "def predicted_active(points, beta, noise, latent):\n"
          "    return min(latent, int((points.var(0) > beta * noise**2).sum()))", "you say [2, 1, 0]"),
    Wrong("02_vae", "predict", "second moments, not centred",
          "def predicted_active(points, beta, noise, latent):\n"
          "    values = torch.linalg.eigvalsh(points.T @ points / len(points))\n"
          "    return min(latent, int((values > beta * noise**2).sum()))", "is your covariance centred?", hidden=True),
    Wrong("02_vae", "predict", "the ELBO's factor of 2 in the price",
          "def predicted_active(points, beta, noise, latent):\n    values = torch.linalg.eigvalsh(torch.cov(points.T))\n"
          "    return min(latent, int((values > 2 * beta * noise**2).sum()))", "without the ELBO's 2"),
    Wrong("02_vae", "predict", "the smallest eigenvalues kept",
          "def predicted_active(points, beta, noise, latent):\n"
          "    return int((torch.linalg.eigvalsh(torch.cov(points.T))[:latent] > beta * noise**2).sum())",
          "those that are left out must be the smallest"),
    Wrong("02_vae", "cure", "counted from the smallest eigenvalue",
          "def largest_beta(points, wanted, noise):\n"
          "    return float(torch.linalg.eigvalsh(torch.cov(points.T))[wanted - 1] / noise**2)", "which eigenvalue comes first?"),
    Wrong("02_vae", "cure", "the cure's noise not squared",
          "def largest_beta(points, wanted, noise):\n"
          "    return float(torch.linalg.eigvalsh(torch.cov(points.T)).flip(0)[wanted - 1] / noise)", "just above your beta"),
    Wrong("02_vae", "cure", "the cure's covariance not centred",
          "def largest_beta(points, wanted, noise):\n"
          "    values = torch.linalg.eigvalsh(points.T @ points / (len(points) - 1)).flip(0)\n"
          "    return float(values[wanted - 1] / noise**2)", "moving the points must change nothing", hidden=True),
    Wrong("02_vae", "cure", "a tensor in place of a number",
          "def largest_beta(points, wanted, noise):\n"
          "    return torch.linalg.eigvalsh(torch.cov(points.T)).flip(0)[wanted - 1] / noise**2", "a plain number"),
    Wrong("02_vae", "cure", "counted from 1",
          "def largest_beta(points, wanted, noise):\n"
          "    return float(torch.linalg.eigvalsh(torch.cov(points.T)).flip(0)[wanted] / noise**2)", "counting starts at 0"),
]
TRANSFORM = [
    Wrong("03_linear_transform", "closed-form", "the painting turned into the photograph",
          "def closed_form(content_covariance, style_covariance):\n"
          "    return matrix_roots(content_covariance[None])[0][0] @ matrix_roots(style_covariance[None])[1][0]",
          "the roles are exchanged"),
    Wrong("03_linear_transform", "closed-form", "C · S in place of S · C",
          "def closed_form(content_covariance, style_covariance):\n"
          "    return matrix_roots(content_covariance[None])[1][0] @ matrix_roots(style_covariance[None])[0][0]", "C acts first"),
    Wrong("03_linear_transform", "closed-form", "the inverse in place of the inverse root",
          "def closed_form(content_covariance, style_covariance):\n"
          "    return matrix_roots(style_covariance[None])[0][0] @ torch.linalg.inv(content_covariance)", "C an inverse root"),
    Wrong("03_linear_transform", "closed-form", "Cholesky factors for roots",
          "def closed_form(content_covariance, style_covariance):\n    factor = torch.linalg.cholesky\n"
          "    return factor(style_covariance) @ torch.linalg.inv(factor(content_covariance))",
          "not the product of the two symmetric roots", hidden=True),
    Wrong("03_linear_transform", "closed-form", "no batch given to matrix_roots",
          "def closed_form(content_covariance, style_covariance):\n"
          "    return matrix_roots(style_covariance)[0] @ matrix_roots(content_covariance)[1]", "a batch of one"),
    Wrong("03_linear_transform", "closed-form", "NumPy in place of torch",
          "def closed_form(content_covariance, style_covariance):\n"
          "    return (matrix_roots(style_covariance[None])[0][0] @ matrix_roots(content_covariance[None])[1][0]).numpy()",
          "a tensor, please"),
    Wrong("03_linear_transform", "move", "T left out",
          "def move(features, compress, matrix, style_mean):\n    centred = features - features.mean(1, keepdim=True)\n"
          "    return compress.T @ (compress @ centred) + style_mean", "T changes nothing"),
    Wrong("03_linear_transform", "move", "not decompressed",
          "def move(features, compress, matrix, style_mean):\n"
          "    return matrix @ compress @ (features - features.mean(1, keepdim=True))", "did you decompress?"),
    Wrong("03_linear_transform", "move", "not decompressed, and the mean added",
          "def move(features, compress, matrix, style_mean):\n"
          "    return matrix @ compress @ (features - features.mean(1, keepdim=True)) + style_mean",
          "Did you decompress?"),
    Wrong("03_linear_transform", "move", "the content's mean left in",
          "def move(features, compress, matrix, style_mean):\n    return compress.T @ matrix @ compress @ features + style_mean",
          "take the content's own out first"),
    Wrong("03_linear_transform", "move", "what the compressed space does not hold is kept",
          "def move(features, compress, matrix, style_mean):\n    centred = features - features.mean(1, keepdim=True)\n"
          "    inside = compress.T @ compress @ centred\n"
          "    return centred - inside + compress.T @ matrix @ compress @ centred + style_mean",
          "dropped by the formula", hidden=True),
    Wrong("03_linear_transform", "move", "T transposed",
          "def move(features, compress, matrix, style_mean):\n    centred = features - features.mean(1, keepdim=True)\n"
          "    return compress.T @ matrix.T @ compress @ centred + style_mean", "is it transposed?", hidden=True),
    Wrong("03_linear_transform", "nearest", "S · C once more",
          "def nearest(content_covariance, style_covariance):\n    return closed_form(content_covariance, style_covariance)",
          "is this still S · C?"),
    Wrong("03_linear_transform", "nearest", "content and style exchanged in the middle",
          "def nearest(content_covariance, style_covariance):\n"
          "    root, inverse = (part[0] for part in matrix_roots(style_covariance[None]))\n"
          "    return inverse @ matrix_roots((root @ content_covariance @ root)[None])[0][0] @ inverse",
          "which covariance stands inside"),
    Wrong("03_linear_transform", "nearest", "the mirrored solution",
          "def nearest(content_covariance, style_covariance):\n"
          "    root, inverse = (part[0] for part in matrix_roots(content_covariance[None]))\n"
          "    return -inverse @ matrix_roots((root @ style_covariance @ root)[None])[0][0] @ inverse",
          "must not mirror any direction", hidden=True),
    Wrong("03_linear_transform", "mix", "shares spread over dimensions",
          "def mix(mus, log_sigmas, shares):\n    shares = shares / shares.sum()\n    mu = (shares * mus).sum(0)\n"
          "    return mu, 0.5 * (shares[:, None] * (2 * log_sigmas).exp()).sum(0).log()", "shares went to dimensions"),
    Wrong("03_linear_transform", "mix", "deviations mixed in place of variances",
          "def mix(mus, log_sigmas, shares):\n    shares = shares / shares.sum()\n"
          "    return shares @ mus, (shares @ log_sigmas.exp()).log()", "you mixed the deviations"),
    Wrong("03_linear_transform", "mix", "log sigmas mixed",
          "def mix(mus, log_sigmas, shares):\n    shares = shares / shares.sum()\n    return shares @ mus, shares @ log_sigmas",
          "you mixed log sigmas"),
    Wrong("03_linear_transform", "mix", "sigma in place of its logarithm",
          "def mix(mus, log_sigmas, shares):\n    shares = shares / shares.sum()\n"
          "    return shares @ mus, (shares @ (2 * log_sigmas).exp()).sqrt()", "did you return sigma?"),
    Wrong("03_linear_transform", "mix", "the logarithm not halved",
          "def mix(mus, log_sigmas, shares):\n    shares = shares / shares.sum()\n"
          "    return shares @ mus, (shares @ (2 * log_sigmas).exp()).log()", "half its logarithm"),
    Wrong("03_linear_transform", "mix", "shares not divided by their sum",
          "def mix(mus, log_sigmas, shares):\n    return shares @ mus, 0.5 * (shares @ (2 * log_sigmas).exp()).log()",
          "divided by their sum"),
    Wrong("03_linear_transform", "mix", "the variance of a true mixture, the means' distance in it",
          "def mix(mus, log_sigmas, shares):\n    shares = shares / shares.sum()\n    mu = shares @ mus\n"
          "    return mu, 0.5 * (shares @ ((2 * log_sigmas).exp() + (mus - mu)**2)).log()", "here variances alone mix"),
    Wrong("03_linear_transform", "mix", "shares squared, as for a sum of random numbers",
          "def mix(mus, log_sigmas, shares):\n    shares = shares / shares.sum()\n"
          "    return shares @ mus, 0.5 * (shares**2 @ (2 * log_sigmas).exp()).log()", "you squared the shares"),
    Wrong("03_linear_transform", "mix", "two styles taken for granted",
          "def mix(mus, log_sigmas, shares):\n    share, variances = (shares / shares.sum())[0], (2 * log_sigmas).exp()\n"
          "    return (share * mus[0] + (1 - share) * mus[1],\n"
          "            0.5 * (share * variances[0] + (1 - share) * variances[1]).log())", "all K!", hidden=True),
    Wrong("03_linear_transform", "mix", "the shares themselves changed",
          "def mix(mus, log_sigmas, shares):\n    shares /= shares.sum()\n"
          "    return shares @ mus, 0.5 * (shares @ (2 * log_sigmas).exp()).log()", "changed the shares", hidden=True),
    Wrong("03_linear_transform", "mix", "shares not used",
          "def mix(mus, log_sigmas, shares):\n    return mus.mean(0), 0.5 * (2 * log_sigmas).exp().mean(0).log()",
          "use them, divided by their sum"),
    Wrong("03_linear_transform", "grid", "a/n, as in the published grid: three corners are not pure",
          "def grid_shares(n):\n    a, b = torch.arange(n)[:, None] / n, torch.arange(n)[None, :] / n\n"
          "    return torch.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], dim=2)", "a must reach 1"),
    Wrong("03_linear_transform", "grid", "rows and columns exchanged",
          "def grid_shares(n):\n    b, a = torch.linspace(0, 1, n)[:, None], torch.linspace(0, 1, n)[None, :]\n"
          "    return torch.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], dim=2)",
          "rows and columns are exchanged", hidden=True),
    Wrong("03_linear_transform", "grid", "steps that are not even",
          "def grid_shares(n):\n    even = torch.linspace(0, 1, n)\n    soft = 3 * even**2 - 2 * even**3\n"
          "    a, b = soft[:, None], soft[None, :]\n"
          "    return torch.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], dim=2)",
          "go in even steps", hidden=True),
    Wrong("03_linear_transform", "grid", "steps made for a grid of five",
          "def grid_shares(n):\n"
          "    a, b = (torch.arange(n) / 4)[:, None], (torch.arange(n) / 4)[None, :]\n"
          "    return torch.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], dim=2)",
          "grids of other sizes must work", hidden=True),
    Wrong("03_linear_transform", "draw", "uniform numbers in place of Gaussian ones",
          "def draw(mu, log_sigma, count, generator):\n"
          "    return mu + log_sigma.exp() * (torch.rand(count, len(mu), generator=generator) - 0.5)", "is it randn, not rand"),
    Wrong("03_linear_transform", "draw", "one eps for all dimensions",
          "def draw(mu, log_sigma, count, generator):\n"
          "    return mu + log_sigma.exp() * torch.randn(count, 1, generator=generator)", "each needs an eps of its own"),
    Wrong("03_linear_transform", "draw", "the generator not used",
          "def draw(mu, log_sigma, count, generator):\n    return mu + log_sigma.exp() * torch.randn(count, len(mu))",
          "the same generator gave other codes", hidden=True),
    Wrong("03_linear_transform", "draw", "a generator of one's own",
          "def draw(mu, log_sigma, count, generator):\n    own = torch.Generator().manual_seed(0)\n"
          "    return mu + log_sigma.exp() * torch.randn(count, len(mu), generator=own)",
          "do you seed a generator of your own?", hidden=True),
    Wrong("03_linear_transform", "draw", "one eps for all dimensions, with random signs",
          "def draw(mu, log_sigma, count, generator):\n"
          "    eps = torch.randn(count, 1, generator=generator)\n"
          "    signs = torch.randint(0, 2, (count, len(mu)), generator=generator) * 2 - 1\n"
          "    return mu + log_sigma.exp() * eps * signs",
          "the other is, too", hidden=True),
    Wrong("03_linear_transform", "draw", "count and dimensions taken for granted",
          "def draw(mu, log_sigma, count, generator):\n"
          "    return mu + log_sigma.exp() * torch.randn(2000, 2, generator=generator)", "is given", hidden=True),
]
EXPERIMENT = [
    Wrong("04_experiment", "plan", "no margin",
          "def plan():\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': 0, 'unit': 'picture', 'control': ('vgg', 'vgg')}",
          "from how many dB on would you care?"),
    Wrong("04_experiment", "plan", "no control",
          "def plan():\n    return {'better': 'vgg', 'worse': 'resnet', 'margin': 1, 'unit': 'picture'}",
          "says nothing about control"),
    Wrong("04_experiment", "plan", "quarters taken for units",
          "def plan():\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': 1, 'unit': 'quarter', 'control': ('vgg', 'vgg')}",
          "they are not independent units"),
    Wrong("04_experiment", "plan", "the statement as its own control",
          "def plan():\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': 1, 'unit': 'picture', 'control': ('vgg', 'resnet')}",
          "this control is the statement itself", hidden=True),
    Wrong("04_experiment", "plan", "the statement turned round as its control",
          "def plan():\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': 1, 'unit': 'picture', 'control': ('resnet', 'vgg')}",
          "your control is turned round"),
    Wrong("04_experiment", "plan", "a control measured the other way round",
          "def plan():\n    control = 'vgg-untrained', 'resnet-untrained'\n"
          "    return {'better': 'resnet', 'worse': 'vgg', 'margin': 1, 'unit': 'picture', 'control': control}",
          "your control is turned round"),
    Wrong("04_experiment", "plan", "a margin with its letters",
          "def plan():\n    control = 'vgg-untrained', 'resnet-untrained'\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': '1 dB', 'unit': 'picture', 'control': control}",
          "without the letters"),
    Wrong("04_experiment", "plan", "one arm as control",
          "def plan():\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': 1, 'unit': 'picture', 'control': 'vgg-untrained'}",
          "a control is a pair of arms"),
    Wrong("04_experiment", "plan", "an arm against itself as control",
          "def plan():\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': 1, 'unit': 'picture', 'control': ('vgg', 'vgg')}",
          "an arm against itself can never hold", hidden=True),
    Wrong("04_experiment", "plan", "a margin that nothing can pass",
          "def plan():\n"
          "    control = 'vgg-untrained', 'resnet-untrained'\n"
          "    return {'better': 'vgg', 'worse': 'resnet', 'margin': float('inf'), 'unit': 'picture', 'control': control}",
          "nothing can ever hold"),
    Wrong("04_experiment", "plan", "within a family, a control measured the other way round",
          "def plan():\n"
          "    control = 'resnet-untrained', 'resnet'\n"
          "    return {'better': 'vgg', 'worse': 'vgg-untrained', 'margin': 1, 'unit': 'picture', 'control': control}",
          "your control is turned round"),
    Wrong("04_experiment", "plan", "a control whose arms differ in training",
          "def plan():\n    return {'better': 'resnet', 'worse': 'vgg', 'margin': 1, 'unit': 'picture',\n"
          "            'control': ('resnet', 'resnet-untrained')}", "both trained, or both are not"),
    Wrong("04_experiment", "plan", "of training, a control of the other family's",
          "def plan():\n    return {'better': 'vgg', 'worse': 'vgg-untrained', 'margin': 1, 'unit': 'picture',\n"
          "            'control': ('resnet', 'resnet-untrained')}", "both trained, or both are not"),
    Wrong("04_experiment", "plan", "of training, a control whose arms differ in training and family",
          "def plan():\n    return {'better': 'vgg', 'worse': 'vgg-untrained', 'margin': 1, 'unit': 'picture',\n"
          "            'control': ('vgg', 'resnet-untrained')}", "both trained, or both are not"),
    Wrong("04_experiment", "plan", "a tuple in place of a dictionary",
          "def plan():\n    return 'vgg', 'resnet', 0.5, 'picture', ('vgg-untrained', 'resnet-untrained')",
          "return a dictionary"),
    Wrong("04_experiment", "psnr", "one mean over the whole batch",
          "def psnr(output, target):\n    return -10 * (output - target).square().mean().log10()",
          "which dimensions does the mean take?"),
    Wrong("04_experiment", "psnr", "the natural logarithm",
          "def psnr(output, target):\n    return -10 * (output - target).square().mean((1, 2, 3)).log()", "to base 10?"),
    Wrong("04_experiment", "psnr", "the sign of the PSNR forgotten",
          "def psnr(output, target):\n    return 10 * (output - target).square().mean((1, 2, 3)).log10()", "check the sign"),
    Wrong("04_experiment", "psnr", "the mean taken before the squares",
          "def psnr(output, target):\n    return -10 * (output - target).abs().mean((1, 2, 3)).square().log10()",
          "squares first, then the mean", hidden=True),
    Wrong("04_experiment", "psnr", "the sum of the squares",
          "def psnr(output, target):\n    return -10 * (output - target).square().sum((1, 2, 3)).log10()", "not their sum"),
    Wrong("04_experiment", "psnr", "a PSNR for each channel, then their mean",
          "def psnr(output, target):\n"
          "    return (-10 * (output - target).square().mean((2, 3)).clamp_min(1e-12).log10()).mean(1)",
          "channels too", hidden=True),
    Wrong("04_experiment", "psnr", "a mean over columns of logarithms",
          "def psnr(output, target):\n    return (-10 * (output - target).square().mean((1, 2)).log10()).mean(1)",
          "squares first", hidden=True),
    Wrong("04_experiment", "psnr", "20 times the logarithm of the MSE",
          "def psnr(output, target):\n    return -20 * (output - target).square().mean((1, 2, 3)).log10()",
          "of the MSE itself it is 10"),
    Wrong("04_experiment", "psnr", "a peak of 255",
          "def psnr(output, target):\n    return 10 * (255**2 / (output - target).square().mean((1, 2, 3))).log10()",
          "not to 255"),
    Wrong("04_experiment", "units", "every value a unit",
          "def per_unit(values, units):\n    return np.asarray(values, dtype=float)", "are two units, not 4"),
    Wrong("04_experiment", "units", "sums in place of means",
          "def per_unit(values, units):\n    values, units = np.asarray(values, dtype=float), np.asarray(units)\n"
          "    return np.array([values[units == unit].sum() for unit in dict.fromkeys(units.tolist())])", "their mean is 2"),
    Wrong("04_experiment", "units", "a list in place of an array",
          "def per_unit(values, units):\n    values, units = np.asarray(values, dtype=float), np.asarray(units)\n"
          "    return [values[units == unit].mean() for unit in dict.fromkeys(units.tolist())]", "an array, please"),
    Wrong("04_experiment", "units", "values of a unit supposed side by side",
          "def per_unit(values, units):\n    return np.reshape(np.asarray(values, dtype=float), (len(set(units)), -1)).mean(1)",
          "units may have different numbers of values"),
    Wrong("04_experiment", "units", "one unit for each run of equal names",
          "def per_unit(values, units):\n    from itertools import groupby\n"
          "    runs = groupby(zip(units, values), key=lambda pair: pair[0])\n"
          "    return np.array([np.mean([value for _, value in run]) for _, run in runs])",
          "need not stand side by side", hidden=True),
    Wrong("04_experiment", "units", "two values to a unit, whatever their names",
          "def per_unit(values, units):\n    return np.asarray(values, dtype=float).reshape(-1, 2).mean(1)",
          "units may have different numbers of values"),
    Wrong("04_experiment", "units", "the median in place of the mean",
          "def per_unit(values, units):\n"
          "    values, units = np.asarray(values, dtype=float), np.asarray(units)\n"
          "    return np.array([np.median(values[units == unit]) for unit in dict.fromkeys(units.tolist())])",
          "units may have different numbers of values"),
    # In place of set(units), whose order changes from run to run: one that is wrong in every run.
    Wrong("04_experiment", "units", "the names as a set, which has no order",
          "def per_unit(values, units):\n    values, units = np.array(values), np.array(units)\n"
          "    names = list(dict.fromkeys(units.tolist()))\n"
          "    return np.array([values[units == name].mean() for name in names[:2] + names[:1:-1]])", "a set has none"),
    Wrong("04_experiment", "interval", "not paired",
          "def paired_interval(first, second):\n    first, second = np.asarray(first), np.asarray(second)\n"
          "    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))\n"
          "    half = stats.t.ppf(0.975, len(first) - 1) * error\n"
          "    return first.mean() - second.mean() - half, first.mean() - second.mean() + half", "Take the differences first"),
    Wrong("04_experiment", "interval", "1.96 with four units",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n"
          "    half = 1.96 * differences.std(ddof=1) / np.sqrt(len(differences))\n"
          "    return differences.mean() - half, differences.mean() + half", "not 1.96"),
    Wrong("04_experiment", "interval", "not divided by the root of n",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n"
          "    half = stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1)\n"
          "    return differences.mean() - half, differences.mean() + half", "divided by the root of n?"),
    Wrong("04_experiment", "interval", "n in place of n - 1",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n"
          "    half = stats.t.ppf(0.975, len(differences) - 1) * differences.std() / np.sqrt(len(differences))\n"
          "    return differences.mean() - half, differences.mean() + half", "ddof=1"),
    Wrong("04_experiment", "interval", "n degrees of freedom",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n    n = len(differences)\n"
          "    half = stats.t.ppf(0.975, n) * differences.std(ddof=1) / np.sqrt(n)\n"
          "    return differences.mean() - half, differences.mean() + half", "degrees of freedom"),
    Wrong("04_experiment", "interval", "the factor for 90 %",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n    n = len(differences)\n"
          "    half = stats.t.ppf(0.95, n - 1) * differences.std(ddof=1) / np.sqrt(n)\n"
          "    return differences.mean() - half, differences.mean() + half", "the factor for 90 %"),
    Wrong("04_experiment", "interval", "the factor for four units, whatever n",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n"
          "    half = stats.t.ppf(0.975, 3) * differences.std(ddof=1) / np.sqrt(len(differences))\n"
          "    return differences.mean() - half, differences.mean() + half", "is n a fixed number?", hidden=True),
    Wrong("04_experiment", "interval", "the median as the middle",
          "def paired_interval(first, second):\n"
          "    d = np.subtract(first, second, dtype=float)\n"
          "    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))\n"
          "    return np.median(d) - half, np.median(d) + half",
          "Or is the middle no mean?", hidden=True),
    Wrong("04_experiment", "interval", "1.96, and n in place of n - 1",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n"
          "    half = 1.96 * differences.std() / np.sqrt(len(differences))\n"
          "    return differences.mean() - half, differences.mean() + half", "the deviation has ddof=1"),
    Wrong("04_experiment", "interval", "divided by n",
          "def paired_interval(first, second):\n    differences = np.subtract(first, second)\n"
          "    half = stats.t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences)\n"
          "    return differences.mean() - half, differences.mean() + half", "not by n"),
    Wrong("04_experiment", "verdict", "the mean decides",
          "def verdict(low, high, margin):\n    return 'holds' if (low + high) / 2 > margin else 'fails'",
          "the mean alone decides nothing"),
    Wrong("04_experiment", "verdict", "not shown taken for false",
          "def verdict(low, high, margin):\n    if low > margin:\n        return 'holds'\n"
          "    return 'undecided' if high > 2 else 'fails'", "not shown is not shown to be false"),
    Wrong("04_experiment", "verdict", "the margin left out",
          "def verdict(low, high, margin):\n    if high <= 0:\n        return 'fails'\n"
          "    return 'holds' if low > margin else 'undecided'", "smaller than the margin"),
    Wrong("04_experiment", "verdict", "a margin on either side of 0",
          "def verdict(low, high, margin):\n    if low > margin:\n        return 'holds'\n"
          "    return 'fails' if high < -margin else 'undecided'", "smaller than the margin"),
    Wrong("04_experiment", "verdict", "the margin of the example, whatever is given",
          "def verdict(low, high, margin):\n    if low > 0.5:\n        return 'holds'\n"
          "    return 'fails' if high <= 0.5 else 'undecided'", "with a margin of 2", hidden=True),
    Wrong("04_experiment", "winner", "swapped sides ignored",
          "def winner(trial, vote):\n"
          "    return {'left': trial.methods[0], 'right': trial.methods[1], 'tie': None}[vote['choice']]",
          "swapped, the first method is on the right"),
    Wrong("04_experiment", "winner", "a tie given to the second method",
          "def winner(trial, vote):\n    first = (vote['choice'] == 'left') != bool(vote['swapped'])\n"
          "    return trial.methods[0 if first else 1]", "a tie has no winner", hidden=True),
    Wrong("04_experiment", "winner", "the example's names",
          "def winner(trial, vote):\n    if vote['choice'] == 'tie':\n        return None\n"
          "    return 'a' if (vote['choice'] == 'left') != bool(vote['swapped']) else 'b'", "the trial's own names", hidden=True),
    Wrong("04_experiment", "winner", "methods taken in the order of the alphabet",
          "def winner(trial, vote):\n"
          "    if vote['choice'] == 'tie':\n"
          "        return None\n"
          "    first = (vote['choice'] == 'left') != bool(vote['swapped'])\n"
          "    return sorted(trial.methods)[0 if first else 1]",
          "the trial's own names", hidden=True),
]
WRONG = [*FEATURES, *VAE, *TRANSFORM, *EXPERIMENT]
