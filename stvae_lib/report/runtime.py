"""onnxruntime-web, which runs ONNX in a browser."""

from pathlib import Path

from .npm import Package, fetched

# By device, the module and its WebAssembly. The one for graphics cards runs on processors too, but is twice as large.
FILES = {"wasm": ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"),
         "webgpu": ("ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm")}
PACKAGE = Package("onnxruntime-web", "1.30.0",
                  "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
                  tuple(name for names in FILES.values() for name in names))


def runtime_files() -> dict[str, tuple[Path, Path]]:
    """By device (`wasm`, `webgpu`): the runtime's module and its WebAssembly; InputError as `npm.fetched`."""
    folder = fetched(PACKAGE)
    return {device: tuple(folder / name for name in names) for device, names in FILES.items()}
