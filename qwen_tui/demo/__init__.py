"""A tiny trained model that ships with the program, and the scripts that made it.

`model/` is a real Qwen3ForCausalLM of about a million parameters. It knows a few
skills in English and Chinese, invents nothing else and says what it is. `train` makes
it from a seed, `evaluate` measures it.
"""

from pathlib import Path

MODEL_FOLDER = Path(__file__).with_name("model")
"""The committed model: weights, configuration, tokenizer, chat template."""
