"""Train the shipped default model: `python -m llama2_myhdl.weights.train.train` (needs the extra `train`).

Writes `tokenizer.bin` and `model.bin` (llama2.c formats) to the output folder; the model is written again every
`--export-every` steps, so a run that is stopped leaves a usable one. The same seed gives the same corpus, batches and
start weights. What came of it: `weights/default/README.md`.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from llama2_myhdl.base.options import Parser
from llama2_myhdl.readers.checkpoint import write_checkpoint
from llama2_myhdl.readers.tokenizer import BOS
from llama2_myhdl.spec.config import ModelShape
from llama2_myhdl.weights.train.grammar import stories
from llama2_myhdl.weights.train.model import Llama
from llama2_myhdl.weights.train.tokenizer import export_tokenizer, train_tokenizer

SHAPE = ModelShape(dim=64, hidden_dim=160, n_layers=4, n_heads=4, n_kv_heads=2, vocab_size=512, seq_len=256)
HELD_OUT = 256  # stories for the validation loss
MARGIN = 4  # positions left free at the end of the context
MUON_RATE, ADAM_RATE, DECAY = 0.02, 6e-3, 0.05  # peak learning rates, weight decay
WARMUP = 100  # steps


def pack(encoded: list[list[int]], length: int) -> np.ndarray:
    """Rows [stories, length + 1] of tokens: BOS, a story, BOS, and the beginning of the next one as far as it fits.

    Every row starts a story at position 0, as decoding does, and shows the BOS at which decoding stops.
    """
    rows = np.empty((len(encoded), length + 1), np.int64)
    for row, first in enumerate(encoded):
        text = [BOS, *first]
        following = row
        while len(text) <= length:
            following = (following + 1) % len(encoded)
            text += [BOS, *encoded[following]]
        rows[row] = text[: length + 1]
    return rows


def loss_of(model: Llama, rows: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy (nats a token) of rows [batch, length + 1]."""
    return functional.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())


def rate_at(step: int, steps: int) -> float:
    """Factor of the learning rates: a linear rise, then half a cosine down to zero."""
    rise = min(1.0, (step + 1) / WARMUP)
    return rise * 0.5 * (1 + math.cos(math.pi * step / steps))


def make_optimizers(model: Llama) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers (learns faster than AdamW alone), AdamW for the embedding and the gains."""
    layers = [p for name, p in model.named_parameters() if p.dim() == 2 and not name.startswith("embedding")]
    gains = [p for p in model.parameters() if p.dim() == 1]
    groups = [dict(params=[model.embedding.weight], weight_decay=DECAY), dict(params=gains, weight_decay=0.0)]
    optimizers = [
        torch.optim.Muon(layers, lr=MUON_RATE, weight_decay=DECAY),
        torch.optim.AdamW(groups, lr=ADAM_RATE, betas=(0.9, 0.98)),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    corpus = list(tqdm(stories(args.seed, args.stories + HELD_OUT), "stories", args.stories + HELD_OUT))
    processor = train_tokenizer(corpus[:20_000], SHAPE.vocab_size)
    export_tokenizer(processor, args.out / "tokenizer.bin")
    encoded = [tokens for tokens in processor.encode(corpus) if len(tokens) <= SHAPE.seq_len - MARGIN]
    rows = torch.from_numpy(pack(encoded, SHAPE.seq_len))
    held_out, rows = rows[:HELD_OUT], rows[HELD_OUT:]
    model = Llama(SHAPE)
    optimizers = make_optimizers(model)
    count = sum(p.numel() for p in model.parameters())
    print(f"{count} parameters, {len(rows)} stories that fit the context, {len(rows) * SHAPE.seq_len} tokens an epoch")
    start, order, smooth = time.monotonic(), torch.empty(0, dtype=torch.long), None
    progress = tqdm(range(args.steps), "training")
    for step in progress:
        if len(order) < args.batch:
            order = torch.randperm(len(rows))
        batch, order = rows[order[: args.batch]], order[args.batch :]
        loss = loss_of(model, batch)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate_at(step, args.steps)
            optimizer.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        progress.set_postfix(loss=f"{smooth:.4f}")
        if (step + 1) % args.export_every == 0 or step + 1 == args.steps:
            with torch.no_grad():
                validation = loss_of(model, held_out).item()
            write_checkpoint(model.to_checkpoint(), args.out / "model.bin")
            seconds = time.monotonic() - start
            tqdm.write(f"step {step + 1}: loss {smooth:.4f}, held out {validation:.4f}, {seconds:.0f} s")


def main() -> None:
    parser = Parser(prog="train", description="Train the default story model.")
    parser.add_argument("--out", type=Path, default=Path("weights/default"), help="folder for both files")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=16, help="stories a step")
    parser.add_argument("--stories", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--export-every", type=int, default=250, metavar="STEPS")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
