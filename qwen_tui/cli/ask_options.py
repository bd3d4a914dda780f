"""How `ask` asks: the settings, with what the arguments say on top."""

import argparse
from dataclasses import replace

from qwen_tui.chat.sampling import LIMITS, SamplingChoice
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.chat.window import OverflowChoice
from qwen_tui.cli.context import Context
from qwen_tui.errors import UsageError
from qwen_tui.hub.catalog import recommended_sampling
from qwen_tui.i18n import _


def turn_options(context: Context, model: str) -> TurnOptions:
    """Return the settings for a model with what the arguments say on top.

    Raises:
        UsageError: a number is out of its range.
    """
    args = context.args
    recommended = recommended_sampling(model)
    options = context.settings.turn_options(recommended)
    _check_numbers(args)
    named = {name: getattr(args, name) for name in (*LIMITS, "seed")}
    stop = tuple(args.stop) or options.choice.stop
    return replace(
        options,
        choice=SamplingChoice(**named, stop=stop),
        thinking=options.thinking if args.think is None else args.think,
        thinking_budget=args.thinking_budget or options.thinking_budget,
        max_new_tokens=args.max_new_tokens or options.max_new_tokens,
        loop_guard=options.loop_guard and not args.no_loop_guard,
        overflow=_overflow(args) or options.overflow,
        may_choose=False,
    )


def _overflow(args: argparse.Namespace) -> OverflowChoice | None:
    return args.overflow.replace("-", "_") if args.overflow else None


def _check_numbers(args: argparse.Namespace) -> None:
    for name, (low, high) in LIMITS.items():
        value = getattr(args, name)
        if value is not None and not low <= value <= high:
            raise UsageError(
                _("--{name} must be between {low} and {high}.").format(
                    name=name.replace("_", "-"), low=low, high=high
                )
            )
