"""The integer model of the whole decoder: what the RTL computes, bit for bit."""

from collections.abc import Iterator

import numpy as np

from llama2_myhdl.golden.fixed.arith import Tally, quantise, saturate
from llama2_myhdl.golden.fixed.attention import attend
from llama2_myhdl.golden.fixed.decode import Choose, decode
from llama2_myhdl.golden.fixed.embedding import embed
from llama2_myhdl.golden.fixed.matvec import activation, matvec
from llama2_myhdl.golden.fixed.norm import inverse_rms, scale_by_gain
from llama2_myhdl.golden.fixed.rope import angles, rope
from llama2_myhdl.golden.fixed.sampler import Sampler
from llama2_myhdl.golden.fixed.swiglu import swiglu
from llama2_myhdl.spec.config import BuildConfig
from llama2_myhdl.spec.formats import F_BITS
from llama2_myhdl.spec.quantised import QuantisedCheckpoint
from llama2_myhdl.spec.sampling import LIST
from llama2_myhdl.spec.sequence import Beat, Request
from llama2_myhdl.spec.stops import stop_registers


class FixedModel:
    """Decode one token at a time over an integer KV cache.

    `weights`: the integers that the tape carries too.
    `build`: the widths; the shape must fit it. Since construction `saturations` counts clipped values and
    `list_overflows` draws whose list was too short.
    """

    def __init__(self, weights: QuantisedCheckpoint, build: BuildConfig):
        weights.check(build)
        self.weights, self.shape, self.build = weights, weights.shape, build
        self.freqs, self.eps = self.shape.frequencies, self.shape.eps_term
        self.saturations, self.list_overflows = Tally(), Tally()
        self.reset()

    def reset(self):
        """Forget the KV cache."""
        s = self.shape
        rows = (s.n_layers, s.n_kv_heads, s.seq_len)
        self.keys, self.values = np.zeros(rows + (s.head_dim,), np.int64), np.zeros(rows + (s.head_dim,), np.int64)
        self.key_exp, self.value_exp = np.zeros(rows, np.int64), np.zeros(rows, np.int64)

    def _normalised(self, x, gain):
        """RMSNorm as the matvec sees it: quantised g*x and the deferred scalar."""
        mantissa, exponent = gain
        r, k = inverse_rms(x, self.eps)
        return activation(scale_by_gain(x, mantissa), self.build.act_bits, r, exponent + k)

    def _attention(self, layer: int, x, pos: int, tap):
        s, b, w, sat = self.shape, self.build, self.weights, self.saturations
        act = self._normalised(x, self.weights.rms_att[layer])
        cos, sin = angles(pos, self.freqs)
        k = rope(matvec(w.wk[layer], act, sat), cos, sin, sat)
        v = matvec(w.wv[layer], act, sat)
        for h in range(s.n_kv_heads):
            row = slice(h * s.head_dim, (h + 1) * s.head_dim)
            self.keys[layer, h, pos], self.key_exp[layer, h, pos] = quantise(k[row], b.key_bits)
            self.values[layer, h, pos], self.value_exp[layer, h, pos] = quantise(v[row], b.value_bits)
        q = rope(matvec(w.wq[layer], act, sat), cos, sin, sat)
        out = np.empty(s.dim, np.int64)
        for h in range(s.n_heads):
            row, kv, seen = slice(h * s.head_dim, (h + 1) * s.head_dim), h // s.kv_mul, slice(0, pos + 1)
            out[row] = attend(
                *quantise(q[row], b.act_bits),
                self.keys[layer, kv, seen],
                self.key_exp[layer, kv, seen],
                self.values[layer, kv, seen],
                self.value_exp[layer, kv, seen],
                b.p_frac,
                sat,
            )
        tap("k", layer, k), tap("v", layer, v), tap("q", layer, q), tap("attention", layer, out)
        return matvec(w.wo[layer], activation(out, b.act_bits), sat)

    def _feed_forward(self, layer: int, x, tap):
        """x plus W2's rows, one block of the hidden vector after the other, each with an exponent of its own."""
        w, sat, size = self.weights, self.saturations, self.build.hidden_block
        act = self._normalised(x, self.weights.rms_ffn[layer])
        z = swiglu(matvec(w.w1[layer], act, sat), matvec(w.w3[layer], act, sat), sat)
        tap("swiglu", layer, z)
        for first in range(0, self.shape.hidden_dim, size):
            columns = slice(first, first + size)
            block = activation(z[columns], self.build.act_bits)
            x = saturate(x + matvec(w.w2[layer].columns(columns), block, sat), F_BITS, sat)
        return x

    def forward(self, token: int, pos: int, taps: dict | None = None, scored: bool = True):
        """Logits in F (int64 [vocab]) of `token` at `pos`; `taps` collects {(name, layer): F array} of every stage.

        Not `scored`: the layers alone, for a prompt token whose logits nobody wants; returns None.
        """
        if not 0 <= token < self.shape.vocab_size:
            raise ValueError(f"token: must be 0 to {self.shape.vocab_size - 1}, is {token}")
        if not 0 <= pos < self.shape.seq_len:
            raise ValueError(f"position: must be 0 to {self.shape.seq_len - 1}, is {pos}")

        taps, embedding = {} if taps is None else taps, self.weights.embedding
        start = embed(embedding.mantissa[token], embedding.exponent[token], self.saturations)
        x = self.layers(start, pos, taps)
        if not scored:
            return None
        logits = self.classify(x)
        taps["logits", self.shape.n_layers - 1] = logits
        return logits

    def layers(self, x, pos: int, taps: dict):
        """What all layers make of the residual vector x (F) at `pos`; `taps` as for `forward`."""

        def tap(name, layer, value):
            taps[name, layer] = value

        for layer in range(self.shape.n_layers):
            x = saturate(x + self._attention(layer, x, pos, tap), F_BITS, self.saturations)
            tap("x_att", layer, x)
            x = self._feed_forward(layer, x, tap)
            tap("x_layer", layer, x)
        return x

    def classify(self, x):
        """Logits (F) of what the layers have made of a residual vector: the final norm, and the classifier's rows."""
        return matvec(self.weights.classifier, self._normalised(x, self.weights.rms_final), self.saturations)

    def decode(self, request: Request, choose: Choose | None = None, stops=None) -> Iterator[Beat]:
        """The beats of a sequence that runs alone, behind a reset; arguments as for `fixed.decode.decode`.

        stops: those of the registers, the model's unless given.
        """
        self.reset()
        stops = stop_registers(self.weights.stops, self.shape.vocab_size) if stops is None else stops

        def forward(token: int, pos: int, scored: bool):
            return self.forward(token, pos, scored=scored)

        choose = choose or self.sampler(request)
        return decode(request, self.shape.vocab_size, self.shape.seq_len, forward, choose, stops)

    def sampler(self, request: Request) -> Sampler:
        """What chooses a sequence's tokens, with the build's list."""
        entries = self.build.list_entries or LIST
        return Sampler(request.sampling.registers(), request.logprobs, entries, self.list_overflows)
