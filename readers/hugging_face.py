"""Reader of Hugging Face folders: config.json and safetensors, in one file or several."""

from contextlib import ExitStack
from pathlib import Path

import ml_dtypes  # noqa: F401  numpy knows bfloat16 by its name once it is imported
import numpy as np
from safetensors import SafetensorError, safe_open

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.readers.checkpoint import Checkpoint, finite, tensor_shapes
from llama2_myhdl.readers.json_text import Fields, read_json
from llama2_myhdl.readers.llama_config import LlamaConfig, llama_config
from llama2_myhdl.spec.config import ModelShape

CONFIG, GENERATION = "config.json", "generation_config.json"
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
DTYPES = ("BF16", "F16", "F32")
_ONE = {"token_embedding": "model.embed_tokens", "rms_final": "model.norm", "classifier": "lm_head"}
_LAYER = {
    "rms_att": "input_layernorm",
    "wq": "self_attn.q_proj",
    "wk": "self_attn.k_proj",
    "wv": "self_attn.v_proj",
    "wo": "self_attn.o_proj",
    "rms_ffn": "post_attention_layernorm",
    "w1": "mlp.gate_proj",
    "w2": "mlp.down_proj",
    "w3": "mlp.up_proj",
}
_UNUSED = ".rotary_emb.inv_freq"  # that older files have, and that follows from the configuration


def model_files(folder: Path) -> list[Path]:
    """The files that the weights and the model's tokens depend on, those that are there."""
    named = (folder / name for name in (CONFIG, GENERATION, INDEX))
    return [path for path in (*named, *sorted(folder.glob("*.safetensors"))) if path.is_file()]


def read_folder(folder: Path, given: dict[str, float]) -> Checkpoint:
    """A Checkpoint from a folder. given: `rope_theta` and `norm_eps`, if to be others than the configuration's.

    Raises ModelError for bad content; OSError passes.
    """
    try:
        values = read_json(folder / CONFIG)
    except FileNotFoundError:
        raise ModelError(f"{folder}: is a folder without {CONFIG}, no Hugging Face model") from None
    generation = read_json(folder / GENERATION) if (folder / GENERATION).is_file() else {}
    config = llama_config(values, generation, str(folder / CONFIG), given)
    with ExitStack() as stack:
        return _read(Tensors(folder, stack), config)


class Tensors:
    """The tensors of a folder's safetensors files by name; the files stay open as long as `stack`."""

    def __init__(self, folder: Path, stack: ExitStack):
        self.folder, self._handles = folder, {}
        if (folder / SINGLE).is_file():
            handle = self._open(folder / SINGLE, stack)
            self._handles = dict.fromkeys(handle.keys(), handle)
            return
        try:
            index = read_json(folder / INDEX)
        except FileNotFoundError:
            raise ModelError(f"{folder}: must have {SINGLE} or {INDEX}, has neither") from None
        places = Fields(index, str(folder / INDEX)).part("weight_map").values
        for file in sorted({str(place) for place in places.values()}):
            if Path(file).name != file or not file.endswith(".safetensors"):
                raise ModelError(f"{folder / INDEX}: must name .safetensors files of its folder, names {file[:60]!r}")
            handle = self._open(folder / file, stack)
            self._handles |= dict.fromkeys(handle.keys(), handle)

    @staticmethod
    def _open(path: Path, stack: ExitStack):
        try:
            return stack.enter_context(safe_open(path, framework="numpy"))
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path}: cannot be read as safetensors: {' '.join(str(error).split())}") from error

    @property
    def names(self) -> set[str]:
        return set(self._handles)

    def check(self, name: str, dims: tuple[int, ...]) -> None:
        """ModelError unless it is there, of that shape and of a type that is read."""
        if name not in self._handles:
            raise ModelError(f"{self.folder}: tensor {name} is missing")
        found = self._handles[name].get_slice(name)
        if tuple(found.get_shape()) != dims:
            raise ModelError(f"{self.folder}: {name} must have shape {list(dims)}, has {found.get_shape()}")
        if found.get_dtype() not in DTYPES:
            raise ModelError(f"{self.folder}: {name} must be {', '.join(DTYPES)}, is {found.get_dtype()}")

    def read(self, name: str) -> np.ndarray:
        """In the file's own type."""
        return self._handles[name].get_tensor(name)


def _read(stored: Tensors, config: LlamaConfig) -> Checkpoint:
    shape, shapes = config.shape, tensor_shapes(config.shape, config.tied)
    places = {name: _places(name, shape) for name in shapes}
    expected = {place for names in places.values() for place in names}
    spare = {"lm_head.weight"} if config.tied else set()
    if surplus := sorted(n for n in stored.names - expected - spare if not n.endswith(_UNUSED)):
        raise ModelError(f"{stored.folder}: tensor {surplus[0][:90]} is none of a Llama model's")
    for name, dims in shapes.items():
        for place in places[name]:
            stored.check(place, dims if name in _ONE else dims[1:])
    tensors = {name: _tensor(stored, name, places[name], dims, shape) for name, dims in shapes.items()}
    tensors.setdefault("classifier", tensors["token_embedding"])
    return Checkpoint(shape=shape, shared_classifier=config.tied, bos=config.bos, stops=config.stops, **tensors)


def _places(name: str, shape: ModelShape) -> list[str]:
    """Names in the files of a Checkpoint's tensor, one a layer."""
    if name in _ONE:
        return [f"{_ONE[name]}.weight"]
    return [f"model.layers.{layer}.{_LAYER[name]}.weight" for layer in range(shape.n_layers)]


def _tensor(stored: Tensors, name: str, places: list[str], dims: tuple[int, ...], shape: ModelShape) -> np.ndarray:
    tensor = np.empty(dims, np.float32)
    for layer, place in enumerate(places):
        found = stored.read(place)
        if name in ("wq", "wk"):
            found = pairs_together(found, shape.head_dim)
        tensor[... if name in _ONE else layer] = found
        finite(tensor[... if name in _ONE else layer], f"{stored.folder}: {place}")
    return tensor


def pairs_together(matrix: np.ndarray, head_dim: int) -> np.ndarray:
    """Rows of each head in the order of llama2.c, where a rotary pair is two rows in a row.

    In the folder its first halves come first: rows i and i + head_dim / 2.
    """
    return matrix.reshape(-1, 2, head_dim // 2, matrix.shape[1]).swapaxes(1, 2).reshape(matrix.shape)
