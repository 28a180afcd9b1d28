import numpy as np
import pytest
import torch

from stvae_lib import losses, weights
from stvae_lib.pictures import styles

LAYERS = losses.STYLE_LAYERS


@pytest.fixture(scope="module")
def distances():
    pictures = [styles.generate(name, 64, 1) for name in styles.GENERATORS]
    return weights.feature_distances().calibrate(pictures)


@pytest.fixture(scope="module")
def features(distances):
    with torch.no_grad():
        return [distances.features(styles.generate(name, 64, 0)) for name in ("mosaic", "marbling")]


@pytest.fixture(scope="module")
def statistics(distances, features):
    return [distances.statistics(row) for row in features]


def test_equal_pictures_have_no_distance(distances, features, statistics):
    for distance, rows in ((distances.style, statistics), (distances.gram, statistics), (distances.content, features),
                           (distances.perceptual, features)):
        assert float(distance(rows[0], rows[0])) == 0
        assert float(distance(*rows)) > 0.01


def test_distances_against_numpy_in_double_precision(distances, features, statistics):
    a, b = ({layer: value[0].double().numpy() for layer, value in picture.items()} for picture in features)
    sigma2, gram2 = distances.sigma2.double().numpy(), distances.gram2.double().numpy()

    def flat(x):
        return x.reshape(len(x), -1)

    style = gram = 0.0
    for index, layer in enumerate(LAYERS):
        x, y = flat(a[layer]), flat(b[layer])
        deviation = [np.sqrt(value.var(1, ddof=1) + 1e-5) for value in (x, y)]
        style += (np.mean((x.mean(1) - y.mean(1)) ** 2) + np.mean((deviation[0] - deviation[1]) ** 2)) / sigma2[index]
        gram += np.sum((x @ x.T / x.shape[1] - y @ y.T / y.shape[1]) ** 2) / gram2[index]
    content = np.mean((a["relu4_1"] - b["relu4_1"]) ** 2) / sigma2[3]
    assert float(distances.style(*statistics)) == pytest.approx(style, rel=1e-4)
    assert float(distances.gram(*statistics)) == pytest.approx(gram, rel=1e-4)
    assert float(distances.content(*features)) == pytest.approx(content, rel=1e-4)


def test_kl_against_monte_carlo():
    torch.manual_seed(0)
    mu, log_sigma = torch.tensor([[0.7, -0.4]]), torch.tensor([[-0.5, 0.2]])
    posterior = torch.distributions.Normal(mu, log_sigma.exp())
    z = posterior.sample((200_000,))
    estimate = (posterior.log_prob(z) - torch.distributions.Normal(0, 1).log_prob(z)).mean()
    assert float(losses.kl_divergence(mu, log_sigma)) == pytest.approx(float(estimate), abs=0.01)
    assert float(losses.kl_divergence(torch.zeros(1, 4), torch.zeros(1, 4))) == 0


def test_out_of_range_counts_what_clamping_would_cut():
    assert float(losses.out_of_range(torch.tensor([0.0, 1.0, 0.5]))) == 0
    assert float(losses.out_of_range(torch.tensor([1.5, -0.5]))) == pytest.approx(0.25)


def test_palette_tells_a_tint_from_grey_and_ignores_where_colours_lie():
    picture = torch.rand(2, 3, 16, 16)
    grey = picture.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    assert torch.allclose(losses.palette(picture, picture.flip(3)), torch.zeros(2), atol=1e-6)
    assert (losses.palette(picture, grey) > 0.1).all()
    assert torch.allclose(losses.palette(grey, grey.flip(2)), torch.zeros(2), atol=1e-6)


def test_structure_ignores_offset_and_factor_and_sees_another_place(distances):
    content = {"relu4_1": torch.randn(1, 4, 8, 8)}
    moved = {"relu4_1": 3 * content["relu4_1"] + torch.tensor([1.0, -2, 5, 0])[None, :, None, None]}
    assert distances.structure(moved, content) < 1e-5
    assert distances.structure({"relu4_1": content["relu4_1"].roll(3, 3)}, content) > 0.5


def test_a_drawing_has_no_colour_no_lightness_and_no_contrast_of_its_own():
    picture = styles.generate("mosaic", 64, 0)
    drawn = losses.drawing(picture)
    torch.testing.assert_close(losses.drawing(picture * 0.5 + 0.2), drawn, rtol=0, atol=1e-5)
    assert (drawn[:, :1] == drawn).all() and float(drawn.mean()) == pytest.approx(0.5, abs=1e-5)
    assert float(drawn[:, 0].std()) == pytest.approx(0.2, rel=1e-4)
    assert losses.drawing(torch.full((1, 3, 8, 8), 0.3)).isfinite().all(), "an even picture divides by nothing"
