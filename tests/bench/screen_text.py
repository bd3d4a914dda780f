"""What is streamed in the screen's bench, cut into pieces the size of tokens."""

from dataclasses import dataclass
from itertools import cycle, islice

_MIXED = """## Part {n}: memory of a model

The memory is mostly taken by the **weights** and the *KV cache*, which grows with the
context; see `cache_implementation` and [the docs](https://example.com/docs/{n}).

1. Count the bytes of one token: $2 \\times L \\times d$.
2. Multiply by the context:
   - 32k tokens at **144 KiB** each
   - about {n} GiB

```python
def kv_bytes_{n}(layers: int, heads: int, n: int) -> int:
    return 2 * layers * heads * n  # K and V
```

| Model | Weights | KV per 1k |
|-------|--------:|----------:|
| Qwen3-{n}B | {n}.3 GiB | 144 MiB |

"""
_CODE = """def step_{n}(state: dict[str, int], rate: float = 0.{n}) -> dict[str, int]:
    # one step of the simulation
    total = sum(state.values()) + {n}
    return {{name: int(value * rate) + total for name, value in state.items()}}

"""
_CHINESE = "第{n}点，显存占用主要由**权重**与缓存两部分组成，其中后者随上下文线性增长。"


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of answer."""

    opening: str
    part: str
    token: int
    """Characters that count as a token: Qwen3 makes about one of four English letters
    and of one and a half Chinese characters."""

    def text(self, tokens: int) -> str:
        """Return an answer of so many tokens."""
        parts = [self.opening]
        size = tokens * self.token
        for number in range(1, 1_000_000):
            parts.append(self.part.format(n=number))
            size -= len(parts[-1])
            if size <= 0:
                break
        return "".join(parts)[: tokens * self.token]

    def pieces(self, tokens: int, count: int) -> list[str]:
        """Return the `count` tokens that come after the first `tokens`."""
        rest = self.text(tokens + count)[tokens * self.token :]
        size = self.token
        pieces = [rest[at : at + size] for at in range(0, len(rest), size)]
        return list(islice(cycle(pieces), count))


KINDS = {
    "mixed": Kind("", _MIXED, 4),
    "code": Kind("```python\n", _CODE, 4),
    "list": Kind("", "- item {n} with **some** words and `code` in it\n", 4),
    "table": Kind("|a|b|c|\n|-|-|-|\n", "| row {n} | **cell** | some more |\n", 4),
    "chinese": Kind("", _CHINESE + "\n\n", 2),
    "paragraph": Kind("", _CHINESE, 2),
}
