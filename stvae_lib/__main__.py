"""`python -m stvae_lib …` is the command `stvae …`, also under torchrun."""

from .cli import run

if __name__ == "__main__":
    run()
