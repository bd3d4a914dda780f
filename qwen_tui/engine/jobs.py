"""The one thread that loads and generates, and how each job ends in an event."""

import gc
import logging
import os
import traceback
from typing import NoReturn

import torch
import transformers
from transformers.utils import logging as transformers_logging

from qwen_tui import wire
from qwen_tui.chat.events import Failed, Finished, LoadProgress, StreamEvent, Usage
from qwen_tui.chat.ledger import PromptTokens
from qwen_tui.engine.channel import Channel, Job
from qwen_tui.engine.devices import release_memory, set_threads
from qwen_tui.engine.failures import is_lasting, out_of_memory
from qwen_tui.engine.generate import Parent, generate
from qwen_tui.engine.hold import ModelHold
from qwen_tui.engine.measure import measure
from qwen_tui.engine.model import LoadedModel, load_model
from qwen_tui.engine.prefill import PromptReader
from qwen_tui.engine.progress import LoadMeter
from qwen_tui.engine.warm import warm
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _

_log = logging.getLogger(__name__)

_MIB = 1024**2


class Engine:
    """A model, or none yet, and the jobs that come for it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loaded: LoadedModel | None = None
        self._hold = ModelHold()
        self._reader: PromptReader | None = None
        self._is_spent = False
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        _log.info(
            "torch %s, transformers %s", torch.__version__, transformers.__version__
        )

    def run(self, first: Job) -> NoReturn:
        """Do one job after the other; ends with the process."""
        job = first
        while True:
            answer = self._do(job)
            if self._is_spent:
                self._channel.send(wire.Leaving())
            if isinstance(answer, PromptTokens):
                self._channel.send(wire.Measured(job.id, answer))
            else:
                self._channel.tell(job.id, answer)
            if self._is_spent:
                os._exit(0)  # no clean-up is owed, and none may get stuck
            self._channel.flags.forget(job.id)
            job = self._channel.jobs.get()

    def _do(self, job: Job) -> StreamEvent | PromptTokens:
        """Do a job and return its last event or result, whatever happens in it."""
        try:
            return self._dispatch(job)
        except QwenTuiError as error:
            _log.info("job %s failed: %s", job.id, error.code, exc_info=error.__cause__)
            return Failed(error.code, error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - the job fails, the engine lives on
            self._make_room(error)
            _log.exception("job %s failed", job.id)
            self._is_spent = is_lasting(error)
            return _failure(error)

    def _make_room(self, error: Exception) -> None:
        """Let go of what a failed job holds: even to log it takes memory."""
        if out_of_memory(error) is not None:  # let the next try have all the memory
            if self._reader is not None:
                self._reader.clear()
            if self._loaded is not None and self._loaded.graphs is not None:
                self._loaded.graphs.give_up()
        cause: BaseException | None = error
        while cause is not None:
            traceback.clear_frames(cause.__traceback__)  # they hold tensors
            cause = cause.__context__
        gc.collect()
        if self._loaded is not None:
            release_memory(self._loaded.device)

    def _dispatch(self, job: Job) -> StreamEvent | PromptTokens:
        match job:
            case wire.Load():
                return self._load(job)
            case wire.Generate():
                return self._generate(job)
            case wire.Warm():
                return self._warm(job)
            case wire.Measure():
                return measure(self._model().prompts, job.request)
            case wire.Unload():
                self._unload()
                return Finished("stop", Usage())

    def _load(self, job: wire.Load) -> StreamEvent:
        self._unload()
        n_threads = set_threads(job.options.threads, os.environ)
        _log.info("loading %s with %d threads", job.source.path, n_threads)
        meter = LoadMeter(
            tell=lambda stage, fraction: self._channel.tell(
                job.id, LoadProgress(stage, fraction)
            ),
            is_cancelled=lambda: self._channel.flags.is_cancelled(job.id),
        )
        self._hold.take(job.source.path)
        try:
            loaded = load_model(job.source, job.options, meter)
        except BaseException:
            self._hold.release()
            raise
        self._loaded = loaded
        self._reader = PromptReader(loaded, job.options.kv_cache_mib * _MIB)
        return loaded.described()

    def _generate(self, job: wire.Generate) -> StreamEvent:
        loaded = self._model()
        flags = self._channel.flags
        parent = Parent(
            tell=lambda event: self._channel.tell(job.id, event),
            is_cancelled=lambda: flags.is_cancelled(job.id),
            wants_answer=lambda: flags.wants_answer(job.id),
        )
        return generate(loaded, job.request, parent, self._reader)

    def _warm(self, job: wire.Warm) -> Finished:
        if self._loaded is None or self._reader is None:
            return Finished("stop", Usage())
        channel = self._channel
        return warm(
            self._loaded,
            job.request,
            self._reader,
            is_unwanted=lambda: (
                not channel.jobs.empty() or channel.flags.is_cancelled(job.id)
            ),
        )

    def _model(self) -> LoadedModel:
        if self._loaded is None:
            raise QwenTuiError(
                _("No model is loaded."),
                hint=_("Load a model first."),
                code="no_model",
            )
        return self._loaded

    def _unload(self) -> None:
        if self._loaded is None:
            return
        device = self._loaded.device
        self._loaded = self._reader = None
        self._hold.release()
        gc.collect()
        release_memory(device)


def _failure(error: Exception) -> Failed:
    known = out_of_memory(error)
    if known is not None:
        return Failed(known.code, known.message, known.hint)
    return Failed(
        "engine_error",
        _("The engine hit an unexpected error: {error}").format(
            error=f"{type(error).__name__}: {error}"
        ),
        _("Details are in the engine's log."),
    )
