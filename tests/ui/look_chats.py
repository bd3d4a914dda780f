"""The conversations that looks are taken of: their times and numbers are fixed."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import Usage
from qwen_tui.store.conversations import Store

NOW = 1_767_263_400.0  # 2026-01-01 10:30:00 UTC
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400

MEMORY, CHINESE, BRANCHES = "Memory of a model", "显存估算与上下文长度", "Branches"
"""Titles."""
_THOUGHT = "Weights and the KV cache: 权重与缓存。\n\nTwo bytes for each parameter."
_MEMORY = """\
## Memory of Qwen3-8B

It holds **weights** and the *KV cache*（缓存）, see `config.json`:

| Model | Weights (bf16) | KV / 1k 词元 |
|---|---:|---:|
| Qwen3-8B | 15.3 GiB | 144 MiB |
| Qwen3-14B | 27.5 GiB | 160 MiB |

```python
def kv_bytes(n: int, layers: int = 36) -> int:
    return 2 * layers * 8 * 128 * n * 2  # keys and values
```

1. 先估算权重：参数量 × 2 字节。
   - nested, with $2^{15}$ tokens
2. 再加上 KV cache。

> A card of 24 GiB is enough.
"""
_SHORT = "Qwen3-8B 的**权重**约 15.3 GiB，KV cache 在 32k 上下文下约 4.5 GiB。"


def keep_chats(data_dir: Path) -> dict[str, str]:
    """Save the conversations; return their ids by title."""
    data_dir.mkdir(parents=True, exist_ok=True)
    store = Store(data_dir / "conversations.db")
    chats = (
        _chat(MEMORY, _memory(), age_s=2 * _MINUTE_S),
        _chat(CHINESE, _chinese(), age_s=3 * _HOUR_S),
        _chat(BRANCHES, _branches(), age_s=2 * _DAY_S, pinned=True),
    )
    for chat in chats:
        store.add(chat)
    store.close()
    return {chat.title: chat.id for chat in chats}


def _chat(
    title: str, messages: list[ChatMessage], *, age_s: float, pinned: bool = False
) -> Conversation:
    chat = Conversation(title=title, pinned=pinned)
    for message in messages:
        chat.put(message)
    chat.created_at = chat.updated_at = NOW - age_s
    return chat


def _memory() -> list[ChatMessage]:
    question = _asks("How much memory does Qwen3-8B take?")
    return [question, _answers(question, _MEMORY, thinking=_THOUGHT)]


def _chinese() -> list[ChatMessage]:
    question = _asks("Qwen3-8B 在 32k 上下文下要多少显存？")
    return [question, _answers(question, _SHORT, thinking="用户问显存。")]


def _branches() -> list[ChatMessage]:
    first = _asks("Name a city.", pinned=True)
    answer = _answers(first, "Paris.")
    follow = _asks("Why?", answer)
    other = _asks("And one in Italy?", answer)
    cut = _answers(other, "Rome, the Eternal", state="stopped")
    return [first, answer, follow, _answers(follow, "It is large."), other, cut]


def _asks(text: str, after: ChatMessage | None = None, **more: Any) -> ChatMessage:
    parent_id = after.id if after is not None else None
    return ChatMessage(
        "user", text, parent_id=parent_id, created_at=NOW - _HOUR_S, **more
    )


def _answers(question: ChatMessage, text: str, **more: Any) -> ChatMessage:
    usage = Usage(prompt_tokens=40, thinking_tokens=120, answer_tokens=266,
                  prefill_s=0.41, decode_s=9.2, thinking_s=3.2)  # fmt: skip
    return ChatMessage(
        "assistant",
        text,
        parent_id=question.id,
        model="Qwen/Qwen3-8B",
        created_at=NOW - _HOUR_S,
        usage={**asdict(usage), "finish_reason": "stop"},
        **more,
    )
