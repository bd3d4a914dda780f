"""The engine process: `python -m qwen_tui.engine`, JSON lines on its pipes."""

import logging
import os
from importlib.metadata import version
from typing import NoReturn

from qwen_tui import wire
from qwen_tui.chat.events import Failed, LoadProgress
from qwen_tui.engine.channel import Channel, Job
from qwen_tui.i18n import _, detect_language, set_language


def main() -> None:
    """Take the pipes, say hello, and work until the parent goes.

    torch is imported before the hello, which tells the devices; transformers only
    for the first job, which then hears of it.
    """
    channel = Channel.take_standard_pipes()
    channel.start_reading()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    set_language(detect_language())
    os.environ["HF_HUB_OFFLINE"] = "1"  # read at import; this process fetches nothing
    # Read when torch is loaded, too. Threads that spin while they wait starve each
    # other where cores are shared: seen 20 times slower; alone it costs some 4 %.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from qwen_tui.engine.devices import usable_devices

        hello = _hello(usable_devices())
    except (ImportError, OSError) as error:
        channel.send(wire.Hello(wire.PROTOCOL))
        _refuse_all(channel, channel.jobs.get(), error)
    channel.send(hello)
    job = channel.jobs.get()
    if isinstance(job, wire.Load):
        channel.tell(job.id, LoadProgress("import", 0.0))
    try:
        from qwen_tui.engine.jobs import Engine
    except (ImportError, OSError) as error:
        _refuse_all(channel, job, error)
    Engine(channel).run(first=job)


def _hello(devices: tuple[str, ...]) -> wire.Hello:
    names = ("torch", "transformers")
    return wire.Hello(
        protocol=wire.PROTOCOL,
        versions={name: version(name) for name in names},
        devices=devices,
    )


def _refuse_all(channel: Channel, job: Job, error: Exception) -> NoReturn:
    """Answer every job with why there is no engine."""
    logging.error("torch or transformers cannot be imported", exc_info=error)
    message = _("The engine's libraries cannot be imported: {error}").format(
        error=error
    )
    hint = _("Install torch and transformers for this Python.")
    while True:
        channel.tell(job.id, Failed("engine_broken", message, hint))
        job = channel.jobs.get()


if __name__ == "__main__":
    main()
