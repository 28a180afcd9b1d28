"""The paper's figure 1: image autoencoder, variational linear transform, mixing, and their weights."""
