import torch

from stvae_lib.statistics import matrix_roots


def test_matrix_roots_against_eigenvalues_and_with_finite_gradients():
    torch.manual_seed(0)
    factor = torch.randn(3, 16, 16, dtype=torch.float64)
    matrix = (factor @ factor.transpose(1, 2) + 0.1 * torch.eye(16)).requires_grad_()
    root, inverse = matrix_roots(matrix, steps=20)
    values, vectors = torch.linalg.eigh(matrix)
    expected = vectors @ torch.diag_embed(values.sqrt()) @ vectors.transpose(1, 2)
    torch.testing.assert_close(root, expected, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(root @ inverse, torch.eye(16, dtype=torch.float64).expand(3, -1, -1), atol=1e-6, rtol=0)
    equal = torch.eye(4).expand(1, 4, 4).clone().requires_grad_()  # all eigenvalues meet: eigh's gradient is NaN here
    matrix_roots(equal)[1].sum().backward()
    assert equal.grad.isfinite().all()
