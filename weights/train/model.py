"""A LLaMA in torch for training: RMSNorm, rotary pairs, grouped-query attention, SwiGLU, shared classifier.

The same mathematics and tensor layout as llama2.c, so `to_checkpoint` only renames.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from llama2_myhdl.readers.checkpoint import Checkpoint
from llama2_myhdl.spec.config import ModelShape


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (0, 1), (2, 3), ... of x [batch, time, head, head_dim] by their angles [time, 1, head_dim / 2]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Layer(nn.Module):
    """One decoder layer on x [batch, time, dim]."""

    def __init__(self, shape: ModelShape):
        super().__init__()
        self.shape = shape
        self.rms_att = nn.RMSNorm(shape.dim, shape.norm_eps)
        self.wq = nn.Linear(shape.dim, shape.dim, bias=False)
        self.wk = nn.Linear(shape.dim, shape.kv_dim, bias=False)
        self.wv = nn.Linear(shape.dim, shape.kv_dim, bias=False)
        self.wo = nn.Linear(shape.dim, shape.dim, bias=False)
        self.rms_ffn = nn.RMSNorm(shape.dim, shape.norm_eps)
        self.w1 = nn.Linear(shape.dim, shape.hidden_dim, bias=False)
        self.w2 = nn.Linear(shape.hidden_dim, shape.dim, bias=False)
        self.w3 = nn.Linear(shape.dim, shape.hidden_dim, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, time, dim = x.shape
        normed = self.rms_att(x)
        q, k, v = (w(normed).view(batch, time, -1, self.shape.head_dim) for w in (self.wq, self.wk, self.wv))
        q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
        # Query head h reads key/value head h // kv_mul, as in llama2.c.
        k, v = (t.repeat_interleave(self.shape.kv_mul, 2) for t in (k, v))
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.wo(mixed.transpose(1, 2).reshape(batch, time, dim))
        normed = self.rms_ffn(x)
        return x + self.w2(functional.silu(self.w1(normed)) * self.w3(normed))


class Llama(nn.Module):
    """Logits [batch, time, vocab] of tokens [batch, time]."""

    def __init__(self, shape: ModelShape):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocab_size, shape.dim)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.n_layers))
        self.rms_final = nn.RMSNorm(shape.dim, shape.norm_eps)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = 0.05 if "embedding" in name else weight.shape[1] ** -0.5
                if name.endswith(("wo.weight", "w2.weight")):
                    # What writes to the residual starts small, the more layers the smaller.
                    scale /= (2 * shape.n_layers) ** 0.5
                nn.init.normal_(weight, std=scale)
        frequencies = shape.rope_theta ** -(torch.arange(0, shape.head_dim, 2) / shape.head_dim)
        angles = torch.outer(torch.arange(shape.seq_len), frequencies)[:, None, :]
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens: Tensor) -> Tensor:
        time = tokens.shape[1]
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.cos[:time], self.sin[:time])
        return functional.linear(self.rms_final(x), self.embedding.weight)

    def to_checkpoint(self) -> Checkpoint:
        """The weights as float32 arrays, stacked over the layers."""

        def stacked(name: str) -> np.ndarray:
            return np.stack([getattr(layer, name).weight.detach().numpy() for layer in self.layers])

        names = ("rms_att", "wq", "wk", "wv", "wo", "rms_ffn", "w1", "w2", "w3")
        embedding = self.embedding.weight.detach().numpy()
        return Checkpoint(
            shape=self.shape, token_embedding=embedding, rms_final=self.rms_final.weight.detach().numpy(),
            classifier=embedding, shared_classifier=True, **{name: stacked(name) for name in names},
        )
