"""`qwen-tui doctor`: what is here, what is in force, and what is wrong."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from functools import partial
from typing import Any

from qwen_tui.cli.cells import output_width
from qwen_tui.cli.context import Context
from qwen_tui.cli.doctor_folders import database, disks, hugging_face
from qwen_tui.cli.doctor_machine import devices, installed, terminal
from qwen_tui.cli.doctor_parts import Problem, Section
from qwen_tui.cli.doctor_sources import (
    proxies,
    source_problems,
    source_row,
    sources_to_try,
)
from qwen_tui.cli.labelled import labelled, wrapped
from qwen_tui.cli.output import say, say_json
from qwen_tui.hub.queries import ProbeResult, best_source, probe_sources
from qwen_tui.i18n import _

_LABEL_CELLS = 15  # "huggingface_hub"


def run(context: Context) -> int:
    """Print each section as soon as it is known, problems last."""
    report = _Report(as_json=context.args.json)
    environ = os.environ
    sections: list[Callable[[], Section]] = [
        installed,
        devices,
        partial(hugging_face, context, environ),
        partial(disks, context),
        partial(database, context),
        partial(terminal, environ),
        partial(proxies, environ),
    ]
    for section in sections:
        report.show(section())
    _try_sources(context, environ, report)
    return report.end()


def _try_sources(
    context: Context, environ: Mapping[str, str], report: "_Report"
) -> None:
    names, problems = sources_to_try(context)
    report.problems += problems
    report.begin(_("sources"))
    reason = ""
    if context.settings.hf_offline:
        reason = _("not tried: {name} is set").format(
            name=context.settings.origins["hf_offline"]
        )
    elif context.args.offline:
        reason = _("not tried: --offline was given")
    if reason:
        report.note(reason, {"event": "sources", "skipped": True, "reason": reason})
        return
    asyncio.run(_probe(context, environ, names, report))


async def _probe(
    context: Context,
    environ: Mapping[str, str],
    names: Mapping[str, str],
    report: "_Report",
) -> None:
    results: list[ProbeResult] = []
    async with aclosing(
        probe_sources([*names], log_dir=context.log_dir, environ=environ)
    ) as found:
        async for result in found:
            results.append(result)
            name = names[result.endpoint]
            report.row(source_row(name, result), {"event": "source", **asdict(result)})
    best = best_source(results)
    if best is not None:
        row = (_("fastest"), names[best])
        report.row(row, {"event": "best_source", "endpoint": best})
    report.problems += source_problems(names, results)


class _Report:
    """Prints sections and rows at once, for a person or for a program."""

    def __init__(self, *, as_json: bool) -> None:
        self.problems: list[Problem] = []
        self._as_json = as_json
        self._width = output_width()
        self._is_first = True

    def show(self, section: Section) -> None:
        """Print a whole section and keep its problems."""
        self.problems += section.problems
        if self._as_json:
            say_json({"event": section.name, **section.fields})
            return
        self.begin(section.title)
        for row in section.rows:
            self._print(row)

    def begin(self, title: str) -> None:
        """Print the title of a section."""
        if self._as_json:
            return
        say(title if self._is_first else f"\n{title}")
        self._is_first = False

    def row(self, row: tuple[str, str], fields: Mapping[str, Any]) -> None:
        """Print one row as it becomes known."""
        if self._as_json:
            say_json(fields)
        else:
            self._print(row)

    def note(self, text: str, fields: Mapping[str, Any]) -> None:
        """Print a line that has no label."""
        if self._as_json:
            say_json(fields)
        else:
            say(f"  {text}")

    def end(self) -> int:
        """Print the problems; returns the exit status."""
        is_broken = any(problem.is_broken for problem in self.problems)
        if self._as_json:
            for problem in self.problems:
                say_json({"event": "problem", **asdict(problem)})
            say_json({"event": "done", "problems": len(self.problems)})
            return int(is_broken)
        self.begin(_("problems"))
        if not self.problems:
            say(f"  {_('none found')}")
        room = None if self._width is None else self._width - 4
        for problem in self.problems:
            before = "  - "
            for text in filter(None, (problem.message, problem.hint)):
                for part in wrapped(text, room):
                    say(before + part)
                    before = "    "
        return int(is_broken)

    def _print(self, row: tuple[str, str]) -> None:
        for line in labelled([row], width=self._width, label_cells=_LABEL_CELLS):
            say(line)
