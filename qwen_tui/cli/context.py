"""What every command needs: settings, folders, the model that was asked for."""

import argparse
import os
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qwen_tui import paths
from qwen_tui.backends.remote_choice import OFF
from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.conversation import Conversation
from qwen_tui.cli.output import say
from qwen_tui.errors import UsageError
from qwen_tui.hub.find import find_model
from qwen_tui.i18n import _
from qwen_tui.settings import Settings, load_settings
from qwen_tui.store.conversations import Store
from qwen_tui.wire_engine import LoadOptions


@dataclass(frozen=True, slots=True)
class Context:
    """One run of the command line."""

    args: argparse.Namespace
    settings: Settings
    config_file: Path
    data_dir: Path
    log_dir: Path

    def open_store(self) -> Store:
        """Open the conversations file, creating it."""
        return Store(paths.private_folder(self.data_dir) / "conversations.db")

    def wanted_conversation(self, store: Store) -> Conversation | None:
        """Return the saved conversation the arguments name, if they name one."""
        ref = getattr(self.args, "resume", None) or getattr(self.args, "chat", None)
        if ref:
            return store.find(ref)
        if getattr(self.args, "continue_", False):
            return store.latest()
        return None

    @property
    def hub_environ(self) -> dict[str, str]:
        """The environment, with the HF_HOME in force, where the token lies."""
        return {**os.environ, "HF_HOME": str(self.settings.hf_home)}

    def find_source(self, name: str) -> ModelSource:
        """Return the model called `name`; a relative path counts from here."""
        return find_model(
            name,
            cache_dir=self.settings.hf_cache,
            folders=self.settings.model.folders,
        )

    def load_options(self, source: ModelSource) -> LoadOptions:
        """Return how `source` is to be loaded."""
        trusted = bool(getattr(self.args, "trust_remote_code", False))
        return self.settings.model.load_options(source.identity, trusted=trusted)


def make_context(args: argparse.Namespace) -> Context:
    """Read the settings that the arguments, environment and files make."""
    _apply_hf_home(args, os.environ)
    config_file = _absolute(args.config) or paths.config_file()
    if args.config is not None and not config_file.is_file():
        raise UsageError(
            _("There is no settings file {path}.").format(path=config_file),
            hint=_("Name one that exists, or leave --config out."),
        )
    settings = load_settings(
        file=config_file, overrides=_overrides(args), environ=os.environ
    )
    return Context(
        args=args,
        settings=settings,
        config_file=config_file,
        data_dir=_absolute(args.data_dir) or paths.data_dir(),
        log_dir=paths.private_folder(paths.log_dir()),
    )


def warn_of_remote_code(context: Context, source: ModelSource) -> None:
    """Name what --trust-remote-code means, where it was given."""
    if context.load_options(source).trust_remote_code:
        say(
            _(
                "Warning: Python code that comes with {model} will run with all your "
                "rights: it can read, change and send your files."
            ).format(model=source.name),
            sys.stderr,
        )


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().absolute()


def _apply_hf_home(args: argparse.Namespace, environ: MutableMapping[str, str]) -> None:
    """Let --hf-home win over the environment, for us and for child processes."""
    folder = _absolute(args.hf_home)
    if folder is None:
        return
    environ["HF_HOME"] = str(folder)
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        environ.pop(name, None)


def _overrides(args: argparse.Namespace) -> dict[str, Any]:
    named = {
        "downloads.hf_home": None if args.hf_home is None else str(args.hf_home),
        "downloads.endpoint": args.endpoint,
        "downloads.connections": getattr(args, "connections", None),
        "ui.lang": args.lang,
        "ui.slow_link": args.slow_link,
    }
    if args.command in (None, "ask", "web"):
        named |= {
            "model.default": None if args.server not in (None, OFF) else args.model,
            "server.default": args.server,
            "model.device": args.device,
            "model.dtype": args.dtype,
            "model.context": args.context,
            "model.yarn": args.yarn,
            "model.quantize": args.quantize,
            "model.kv_quantize": args.kv_quantize,
        }
    return {key: value for key, value in named.items() if value is not None}
