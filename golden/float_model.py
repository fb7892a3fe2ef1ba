"""The float golden model: LLaMA-2 in numpy, the same mathematics as llama2.c.

Everything works on batches: hidden states are [batch, positions, dim]. A single decode step is batch 1 and one
position, a teacher-forced evaluation is all positions at once; both are the same code.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from llama2_myhdl.base.errors import ModelError
from llama2_myhdl.golden.float_ops import attention, bounded, rmsnorm, rope, softmax, swiglu
from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.spec.config import ModelShape


class FloatModel:
    """Decoder with a key/value cache of `batch` sequences that advance together.

    `dtype` is np.float32 or np.float64. With `taps=True`, `self.taps` holds after each call x_embed, x_final_norm,
    logits and, as lists by layer, q and k (after RoPE), v, attention, x_att (after the attention residual), swiglu,
    x_layer; each [batch, positions, size].
    """

    def __init__(self, checkpoint: Checkpoint, dtype: type = np.float32, taps: bool = False):
        self.shape: ModelShape = checkpoint.shape
        self.bos = checkpoint.bos
        self.weights = {
            key: value.astype(dtype, copy=False)
            for key, value in vars(checkpoint).items()
            if isinstance(value, np.ndarray)
        }
        self.dtype = dtype
        self.record_taps = taps
        self.taps: dict = {}
        self.reset()

    def reset(self, batch: int = 1, capacity: int | None = None) -> None:
        """Forget all sequences; the next call starts `batch` of them, of at most `capacity` positions."""
        shape = self.shape
        self.position = 0
        size = (shape.n_layers, batch, capacity or shape.seq_len, shape.n_kv_heads, shape.head_dim)
        self._keys, self._values = np.zeros(size, self.dtype), np.zeros(size, self.dtype)

    @np.errstate(over="ignore", invalid="ignore")  # `bounded` looks at what comes out
    def step(self, tokens: np.ndarray) -> np.ndarray:
        """Append tokens [batch, n] to the sequences; returns logits [batch, n, vocab].

        Raises ModelError, also for weights so large that floats overflow.
        """
        tokens = self._checked(np.asarray(tokens))
        start, n = self.position, tokens.shape[1]
        x = bounded(self.weights["token_embedding"][tokens], "float model, embedding")
        self._tap(x_embed=x)
        for layer in range(self.shape.n_layers):
            x = self._layer(layer, x, start)
            bounded(x, f"float model, layer {layer}")
        self.position += n
        x = rmsnorm(x, self.weights["rms_final"], self.shape.norm_eps)
        logits = bounded(x @ self.weights["classifier"].T, "float model, logits")
        self._tap(x_final_norm=x, logits=logits)
        return logits

    def _layer(self, layer: int, x: np.ndarray, start: int) -> np.ndarray:
        shape = self.shape
        w = {key: value[layer] for key, value in self.weights.items() if key[0] == "w" or key in ("rms_att", "rms_ffn")}
        positions = start + np.arange(x.shape[1])
        window = slice(start, start + x.shape[1])
        xn = rmsnorm(x, w["rms_att"], shape.norm_eps)
        turning = shape.rope_theta, shape.rope_divisors
        q = rope(self._heads(xn @ w["wq"].T), positions, *turning)
        k, v = self._keys[layer], self._values[layer]
        k[:, window] = rope(self._heads(xn @ w["wk"].T), positions, *turning)
        v[:, window] = self._heads(xn @ w["wv"].T)
        mixed = attention(q, k[:, : window.stop], v[:, : window.stop], start)
        x_att = x + mixed @ w["wo"].T
        xn = rmsnorm(x_att, w["rms_ffn"], shape.norm_eps)
        hidden = swiglu(xn @ w["w1"].T, xn @ w["w3"].T)
        x_layer = x_att + hidden @ w["w2"].T
        if self.record_taps:
            flat = (*x.shape[:2], -1)
            kv = {"k": k[:, window].reshape(flat).copy(), "v": v[:, window].reshape(flat).copy()}
            self._tap(layer, q=q.reshape(flat), attention=mixed, x_att=x_att, swiglu=hidden, x_layer=x_layer, **kv)
        return x_layer

    def _heads(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(*x.shape[:2], -1, self.shape.head_dim)

    def _tap(self, layer: int | None = None, **tensors: np.ndarray) -> None:
        if not self.record_taps:
            return
        for key, tensor in tensors.items():
            if layer is None:
                self.taps[key] = tensor
            elif layer == 0:
                self.taps[key] = [tensor]
            else:
                self.taps[key].append(tensor)

    def _checked(self, tokens: np.ndarray) -> np.ndarray:
        batch, capacity = self._keys.shape[1:3]
        if tokens.ndim != 2 or tokens.shape[0] != batch:
            raise ModelError(f"tokens must have shape [{batch}, n], have {list(tokens.shape)}")
        bad = tokens[(tokens < 0) | (tokens >= self.shape.vocab_size)]
        if bad.size:
            raise ModelError(f"token must be 0 to {self.shape.vocab_size - 1}, is {bad[0]}")
        if self.position + tokens.shape[1] > capacity:
            raise ModelError(f"the context holds {capacity} positions, {self.position + tokens.shape[1]} are asked for")
        return tokens

    def forward(self, token: int, pos: int) -> np.ndarray:
        """One decode step of one sequence: logits [vocab]. Positions must come in order; position 0 starts afresh."""
        if pos == 0:
            self.reset()
        if pos != self.position:
            raise ModelError(f"position must be {self.position}, the next one, is {pos}")
        return self.step([[token]])[0, 0]

    def forward_all(self, tokens: np.ndarray) -> np.ndarray:
        """Teacher-forced logits of whole sequences from position 0: tokens [n] or [batch, n] -> logits [..., vocab]."""
        tokens = np.asarray(tokens)
        sequences = np.atleast_2d(tokens)
        if sequences.shape[1] > self.shape.seq_len:
            raise ModelError(f"the context holds {self.shape.seq_len} positions, {sequences.shape[1]} are asked for")
        self.reset(*sequences.shape)
        return self.step(sequences).reshape(*tokens.shape, -1)

    def generate(self, prompt_ids: Sequence[int], steps: int, temperature: float = 0, seed: int = 0) -> Iterator[int]:
        """New tokens after the prompt, as they come: at most `steps`, ended by BOS or the end of the context."""
        if not prompt_ids:
            raise ModelError("the prompt must have at least 1 token, has 0")
        rng = np.random.default_rng(seed)
        self.reset()
        logits = self.step([list(prompt_ids)])[0, -1]
        for count in range(steps):
            token = int(pick(logits[None], temperature, rng)[0])
            if token == self.bos:
                return
            yield token
            if self.position == self.shape.seq_len or count == steps - 1:
                return
            logits = self.step([[token]])[0, -1]


def pick(logits: np.ndarray, temperature: float, rng: np.random.Generator) -> np.ndarray:
    """Next tokens [batch] from logits [batch, vocab]: the largest at temperature 0, else sampled."""
    if temperature < 0:
        raise ModelError(f"temperature must be at least 0, is {temperature}")
    if temperature == 0:
        return logits.argmax(axis=-1)
    cumulative = softmax(logits.astype(np.float64) / temperature).cumsum(axis=-1)
    return (cumulative < rng.random((len(logits), 1)) * cumulative[:, -1:]).sum(axis=-1)
