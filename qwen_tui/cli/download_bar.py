"""The one line that shows a running download, in the cells there are."""

from qwen_tui.cli.bar import with_bar
from qwen_tui.cli.cells import cut
from qwen_tui.cli.output import size_text
from qwen_tui.hub.queue_job import SLOWEST_BYTES_PER_S, DownloadJob
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line

_WIDE_GAP, _GAP = "  ", " "


def bar_line(job: DownloadJob, width: int) -> str:
    """Return the line for a job, at most `width` cells; the less there is, the less.

    The bar is what gives way first, then the words around the numbers.
    """
    if not job.total_bytes:
        return cut(_waiting(job) or _("asking the hub what there is"), width)
    if job.waiting:
        texts = [_WIDE_GAP.join(_waiting_parts(job))]
    else:
        texts = [_WIDE_GAP.join(_long_parts(job)), _GAP.join(_short_parts(job))]
    for text in texts:
        line = with_bar(_share(job), text, width)
        if line:
            return line
    return cut(texts[-1], width)


def progress_text(job: DownloadJob) -> str:
    """Return the same for a log file: every number, no bar."""
    return _WIDE_GAP.join(_long_parts(job))


def clock_text(seconds: float) -> str:
    """Return a time as a clock shows it: 0:07, 2:05, 1:02:05."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def _long_parts(job: DownloadJob) -> list[str]:
    amount = _("{done} of {total}").format(
        done=size_text(job.done_bytes), total=size_text(job.total_bytes)
    )
    parts = [_percent(job), amount, _speed(job)]
    if job.eta_s is not None:
        parts.append(_("{time} to go").format(time=clock_text(job.eta_s)))
    if job.retries:
        n = job.retries
        parts.append(ngettext("{n} retry", "{n} retries", n).format(n=n))
    return parts


def _waiting_parts(job: DownloadJob) -> list[str]:
    """Why a file waits; other files may come meanwhile."""
    is_moving = job.bytes_per_s >= SLOWEST_BYTES_PER_S
    speed = [_speed(job)] if is_moving else []
    return [_percent(job), *speed, _waiting(job)]


def _short_parts(job: DownloadJob) -> list[str]:
    total, unit = size_text(job.total_bytes).split()
    done = _share(job) * float(total)  # in the same unit, so that nothing jumps
    speed = f"{size_text(job.bytes_per_s)}/s"
    parts = [_percent(job).replace(" ", ""), f"{done:.1f}/{total} {unit}", speed]
    return parts if job.eta_s is None else [*parts, clock_text(job.eta_s)]


def _percent(job: DownloadJob) -> str:
    return f"{int(100 * _share(job))} %"


def _speed(job: DownloadJob) -> str:
    return _("{speed}/s").format(speed=size_text(job.bytes_per_s))


def _share(job: DownloadJob) -> float:
    if not job.total_bytes:  # nothing but empty files
        return 1.0
    return min(1.0, job.done_bytes / job.total_bytes)


def _waiting(job: DownloadJob) -> str:
    return sanitize_line(job.waiting)
