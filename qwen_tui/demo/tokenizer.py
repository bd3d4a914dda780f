"""The demo model's tokenizer: byte-level BPE with Qwen3's special tokens and template.

Digits and Chinese characters are split one by one, so that no token crosses from a
name into its neighbour and a name is copied by the same tokens it was told in.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.normalizers import NFC
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

CONTEXT_LENGTH = 2048
"""Positions the model may use, in tokens."""

END_OF_TEXT = "<|endoftext|>"
END_OF_TURN = "<|im_end|>"

_CONTROL_TOKENS = (END_OF_TEXT, "<|im_start|>", END_OF_TURN)
_MARKER_TOKENS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
"""Added tokens that are not "special", so decoding shows them, as with Qwen3."""

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{Han}|\p{N}|[^\r\n\p{L}\p{N}]?[\p{L}&&[^\p{Han}]]+"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Learns the merges from rendered dialogues.

    Args:
        texts: Dialogues with their control tokens, which are never merged.
        vocabulary: Entries in all: bytes, merges and the added tokens.
    """
    added = (*_CONTROL_TOKENS, *_MARKER_TOKENS)
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = NFC()
    words = Split(Regex(_WORDS), behavior="isolated")
    tokenizer.pre_tokenizer = Sequence(
        [words, ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocabulary - len(added),
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_without(added, texts), trainer)
    for token in added:
        special = token in _CONTROL_TOKENS
        entry = AddedToken(token, special=special, normalized=False)
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([entry])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END_OF_TURN,
        pad_token=END_OF_TEXT,
        extra_special_tokens=["<|im_start|>"],
        model_max_length=CONTEXT_LENGTH,
        clean_up_tokenization_spaces=False,
        chat_template=chat_template(),
    )


def chat_template() -> str:
    """Reads the Jinja template; it renders what Qwen3's own would, tools aside."""
    return Path(__file__).with_name("chat_template.jinja").read_text("utf-8").strip()


def _without(added: tuple[str, ...], texts: Iterable[str]) -> Iterable[str]:
    for text in texts:
        for token in added:
            text = text.replace(token, "\0")
        yield from text.split("\0")
