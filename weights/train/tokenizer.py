"""A sentencepiece BPE vocabulary for a corpus, exported as llama2.c's `tokenizer.bin`.

Numbering: 0 unknown, 1 bos, 2 eos, 3..258 the 256 bytes, then the merges and the single characters.
"""

import io
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from llama2_myhdl.readers.tokenizer import write_tokenizer


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> sentencepiece.SentencePieceProcessor:
    """BPE with byte fallback over `texts`; the text is taken as it is, as by llama2.c's encoder."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=vocab_size, model_type="bpe", byte_fallback=True,
        character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False, num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def export_tokenizer(processor: sentencepiece.SentencePieceProcessor, path: Path) -> None:
    """Write the pieces as llama2.c's exporter does: a space for the blank, bos and eos on lines of their own."""
    pieces, scores = [], []
    for token in range(processor.vocab_size()):
        text = processor.id_to_piece(token)
        if token in (processor.bos_id(), processor.eos_id()):
            text = f"\n{text}\n"
        pieces.append(text.replace("\u2581", " ").encode())
        scores.append(processor.get_score(token))
    write_tokenizer(pieces, scores, path)
