"""Trainings: a loop, three recipes, and an experiment that takes a config to weights and their card.

A recipe is a module that `loop.fit` understands: `distillation` (slim encoder), `autoencoder`, `transform`, in the order
in which they are trained. Their `validate` measures on held-out pictures only.
"""
