"""Small vocabularies trained with the libraries themselves, for tests of the readers."""

import io
import json
from functools import cache

import sentencepiece
from gguf import GGUFWriter, TokenType
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tb.readers.texts import texts

PIECES = 1000
SPECIALS = ["<|begin|>", "<|end|>", "<|im_start|>"]
# Llama 3's way to cut a text, as its tokenizer.json has it
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CUTS = {
    "smollm": [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)],
    "gpt-2": [pre_tokenizers.ByteLevel(add_prefix_space=False)],
    "llama-bpe": [
        pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ],
}


@cache
def byte_level(cut: str, leads: bool) -> Tokenizer:
    """A byte-level vocabulary with special tokens; leads: its post-processor begins every text with the first one."""
    backend = Tokenizer(models.BPE(ignore_merges=cut == "llama-bpe"))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.Sequence(CUTS[cut]), decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    settings = dict(special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False)
    trainer = trainers.BpeTrainer(vocab_size=700, **settings)
    backend.train_from_iterator(texts(300, seed=1), trainer)
    backend.add_tokens([AddedToken("wordless", special=False)])
    if leads:
        backend.post_processor = processors.TemplateProcessing(
            single=f"{SPECIALS[0]} $A", special_tokens=[(SPECIALS[0], 0)]
        )
    return backend


@cache
def with_blanks() -> Tokenizer:
    """Pieces of SentencePiece in a tokenizer.json, as Llama 2's folders have them."""
    processor = pieces()
    vocabulary = {processor.id_to_piece(k): k for k in range(processor.get_piece_size())}
    merges = [
        (piece[:cut], piece[cut:])
        for piece in vocabulary
        for cut in range(1, len(piece))
        if len(piece) == 2 and piece[:cut] in vocabulary and piece[cut:] in vocabulary
    ]
    settings = dict(unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, **settings))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    steps = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    backend.decoder = decoders.Sequence(steps)
    backend.add_special_tokens(["<unk>", "<s>", "</s>"])
    return backend


@cache
def pieces_proto() -> bytes:
    """A tokenizer.model with the settings of Llama 2's."""
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts(300, seed=2)[1:]),
        model_writer=file,
        vocab_size=PIECES,
        character_coverage=0.98,  # the other characters are bytes
        model_type="bpe",
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        num_threads=1,
        minloglevel=2,
    )
    return file.getvalue()


@cache
def pieces() -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=pieces_proto())


def add_byte_level(writer: GGUFWriter, backend: Tokenizer, cut: str) -> None:
    """The vocabulary of a byte-level backend, as a GGUF file has it."""
    model, size = json.loads(backend.to_str())["model"], backend.get_vocab_size()
    added = backend.get_added_tokens_decoder()
    kinds = [TokenType.NORMAL] * size
    for token, one in added.items():
        kinds[token] = TokenType.CONTROL if one.special else TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(cut)
    writer.add_token_list([backend.id_to_token(token) for token in range(size)])
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(merge) for merge in model["merges"]])


def add_pieces(writer: GGUFWriter) -> None:
    """The vocabulary of `pieces`, as a GGUF file has it."""
    processor = pieces()
    count = processor.get_piece_size()
    kinds = [TokenType.NORMAL] * count
    for token in range(count):
        if processor.is_control(token):
            kinds[token] = TokenType.CONTROL
        elif processor.is_byte(token):
            kinds[token] = TokenType.BYTE
        elif processor.is_unknown(token):
            kinds[token] = TokenType.UNKNOWN
    writer.add_tokenizer_model("llama")
    writer.add_token_list([processor.id_to_piece(token) for token in range(count)])
    writer.add_token_scores([processor.get_score(token) for token in range(count)])
    writer.add_token_types(kinds)
