"""Looks into networks and the latent space (notebooks 03 and 05)."""
