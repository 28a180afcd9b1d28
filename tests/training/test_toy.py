import torch

from stvae_lib.training import toy


def test_points_are_where_they_should_be():
    points = toy.ellipse(4000)
    assert torch.allclose(torch.linalg.eigvalsh(torch.cov(points.T)).sqrt(), torch.tensor([0.4, 1.0]), atol=0.05)
    assert torch.equal(toy.ellipse(5, seed=3), toy.ellipse(5, seed=3)) and not torch.equal(toy.ellipse(5), toy.ellipse(5, seed=1))
    moons = toy.moons(1000, spread=0.0)
    centres = torch.tensor([[-0.5, -0.25], [0.5, 0.25]]).repeat(500, 1)
    assert torch.allclose((moons - centres).norm(dim=1), torch.ones(1000), atol=1e-5), "half circles"
    assert (moons - centres)[::2, 1].min() >= 0 and (moons - centres)[1::2, 1].max() <= 0


def test_the_terms_of_the_elbo_are_those_of_the_book():
    points, vae = toy.moons(200), toy.fit(2, lambda vae: vae.decode(vae.encode(toy.moons(200)).mu).square().sum(), steps=1)
    code = vae.encode(points)
    redrawn, kl = toy.elbo_terms(vae, points, 0.5, torch.Generator().manual_seed(0))
    z = code.mu + code.log_sigma.exp() * torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(redrawn, ((points - vae.decode(z)) ** 2).sum() / 200 / 0.5)
    posterior, prior = torch.distributions.Normal(code.mu, code.log_sigma.exp()), torch.distributions.Normal(0.0, 1.0)
    assert torch.allclose(kl, torch.distributions.kl_divergence(posterior, prior).sum(1).mean(), atol=1e-5)


def test_a_short_training_lowers_its_loss_and_a_heavy_kl_collapses_the_code():
    points = toy.moons(200)

    def trained(beta, steps):
        rng = torch.Generator().manual_seed(0)

        def loss(vae):
            redrawn, kl = toy.elbo_terms(vae, points, 0.1, rng)
            return redrawn + beta * kl

        return toy.see(toy.fit(2, loss, hidden=32, steps=steps), points, 0.1)

    early, late, collapsed = trained(1.0, 2), trained(1.0, 300), trained(1000.0, 300)
    assert late.redrawn + late.kl < 0.5 * (early.redrawn + early.kl)
    assert collapsed.kl < 0.1 < late.kl and collapsed.near(points, 0.2) < late.near(points, 0.2) <= 400
