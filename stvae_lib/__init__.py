from ._torchvision import declare_missing_operators

declare_missing_operators()
