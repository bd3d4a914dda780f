"""The texts of the models screen fit their cells, in both languages."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qwen_tui.hub.machine import Gpu, Machine
from qwen_tui.i18n import set_language
from qwen_tui.ui.screens.model_status import machine_text
from qwen_tui.ui.widgets.line_text import (
    bar_text,
    duration_text,
    fit,
    fit_end,
    fit_middle,
    long_size,
    percent_of,
    share_text,
    size_text,
    speed_text,
)
from qwen_tui.ui.widgets.model_detail import (
    FileLine,
    MemoryView,
    ModelDetail,
    TransferView,
)
from qwen_tui.ui.widgets.model_lines import full_lines, one_line, short_lines
from qwen_tui.ui.widgets.model_row import (
    FITS,
    STATES,
    ModelRow,
    columns_for,
    count_text,
    head_cells,
    row_cells,
)
from qwen_tui.ui.widgets.tones import Line, cut, wrap

GIB = 1024**3
NAMES = ["Qwen3-8B", "模型" * 30, "a/" + "long-name-" * 12, "\x1b[31m", ""]
WIDTHS = [38, 51, 52, 57, 69, 70, 99, 120]


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    set_language(request.param)
    yield request.param
    set_language("en")


def cells(line: Line) -> int:
    return sum(cell_len(text) for text, _tone in line)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("found", [True, False])
def test_every_row_fills_exactly_its_width(language: str, width: int, found: bool):
    columns = columns_for(width, found=found)
    heads = [head_cells(columns, width, by) for by in ("name", "state", "downloads")]
    rows = [
        row_cells(
            ModelRow(
                "k",
                name,
                dtype="bf16",
                size_bytes=999 * GIB,
                state=state,
                reason="a long reason, 很长的原因" * 3,
                percent=100,
                bytes_per_s=1023 * 1024**2,
                fit=fit_word,
                downloads=123_456_789,
                updated="2025-04-28",
                gated=True,
            ),
            columns,
            width,
        )
        for name in NAMES
        for state in STATES
        for fit_word in FITS
    ]
    assert {cells(line) for line in [*heads, *rows]} == {width}


def detail(*, failing: bool = False) -> ModelDetail:
    here = {1: 4 * GIB, 2: 4 * GIB, 3: 4 * GIB, 4: GIB}
    files = [
        FileLine(f"model-{n:05}-of-00016.safetensors", 4 * GIB, here.get(n, 0))
        for n in range(1, 17)
    ]
    return ModelDetail(
        ModelRow("k", "模型" * 30, size_bytes=57 * GIB, state="downloading"),
        "Qwen/Qwen3-30B-A3B-Instruct-2507-FP8",
        facts=[("架构", "qwen3_moe 48L, 30.5B parameters, 3.3B active"),
               ("path", "/home/somebody/" + "deep/" * 20)],
        brief="qwen3_moe 48L  ctx 32,768  apache-2.0",
        memory=MemoryView("cuda:0 H100", 57 * GIB, 3 * GIB, GIB, 32768, 79 * GIB,
                          80 * GIB),
        transfer=TransferView(
            "fetching",
            21 * GIB,
            57 * GIB,
            112 * 1024**2,
            330.0,
            3,
            waiting="" if failing else "a reason to wait " * 8,
            failure="失败了，原因很长" * 8 if failing else "",
            hint="do this " * 12 if failing else "",
            source="mirror",
            target="~/models/" + "x" * 60,
            files=files,
        ),
        keys=[("Enter", "load"), ("d", "下载"), ("x", "cancel")],
        note="Damaged: " + "model.safetensors, " * 5,
    )  # fmt: skip


@pytest.mark.parametrize("width", [20, 38, 43, 78])
@pytest.mark.parametrize("failing", [True, False])
def test_no_line_of_the_detail_is_wider_than_the_pane(
    language: str, width: int, failing: bool
):
    shown = detail(failing=failing)
    lines = [
        *full_lines(shown, width),
        *short_lines(shown, width),
        one_line(shown, width),
    ]
    assert max(cells(line) for line in lines) <= width


def test_the_detail_tells_every_number_of_memory_and_download():
    text = "\n".join(
        "".join(piece for piece, _tone in line) for line in full_lines(detail(), 60)
    )
    for part in ("57.0 GiB", "KV at 32k", "3.0 GiB", "79.0 GiB free", "21.0/57.0 GiB",
                 "36%", "112 MiB/s", "6 min left", "shard 4/16", "verified 3/16",
                 "3 retries", "a reason to wait", "from mirror"):  # fmt: skip
        assert part in text


def test_four_lines_tell_a_download_at_80_columns():
    lines = short_lines(detail(), 78)
    assert len(lines) == 4
    assert "apache-2.0" in lines[0][0][0]
    assert "112 MiB/s" in lines[2][0][0]
    assert "a reason to wait" in lines[3][0][0]


def test_the_file_at_hand_comes_before_what_is_missing_and_what_is_here():
    lines = full_lines(detail(), 60)
    names = [line[0][0].strip() for line in lines if line and "model-000" in line[0][0]]
    assert names[0].startswith("model-00004")
    assert names[-1].startswith("model-00003")


@given(st.text(), st.integers(0, 60))
def test_fitted_text_has_exactly_its_width(text: str, width: int):
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit_middle(text, width)) == width


@given(st.text(), st.integers(4, 60))
def test_other_texts_never_exceed_their_width(text: str, width: int):
    assert cell_len(fit_end(text, width)) <= width
    assert all(cells(line) <= width for line in wrap(text, width, "dim"))
    assert cells(cut([(text, "dim"), (text, "good")], width)) <= width


def test_a_name_keeps_its_two_ends():
    assert fit_middle("Qwen3-235B-A22B-Instruct-2507-FP8", 20) == "Qwen3-23...-2507-FP8"
    assert fit_middle("short", 8) == "short   "


@pytest.mark.parametrize(
    ("size", "short", "long", "speed"),
    [
        (0, "0B", "0 B", "0B/s"),
        (512, "512B", "512 B", "512B/s"),
        (1536, "1.5K", "1.5 KiB", "1.5K/s"),
        (86_000, "84.0K", "84.0 KiB", "84K/s"),
        (112 * 1024**2, "112M", "112 MiB", "112M/s"),
        (56.9 * GIB, "56.9G", "56.9 GiB", "57G/s"),
        (3 * 1024**4, "3.0T", "3.0 TiB", "3.0T/s"),
    ],
)
def test_sizes_and_speeds_stay_short(size: float, short: str, long: str, speed: str):
    assert (size_text(size), long_size(size), speed_text(size)) == (short, long, speed)


def test_shares_are_told_in_the_unit_of_the_whole():
    assert share_text(21 * GIB, 57 * GIB) == "21.0/57.0 GiB"
    assert share_text(0, 600) == "0/600 B"
    assert (percent_of(0, 0), percent_of(999, 1000), percent_of(5, 5)) == (0, 99, 100)


def test_times_are_told_in_their_largest_unit():
    assert [duration_text(s) for s in (4, 300, 11_520, 345_600)] == [
        "4 s",
        "5 min",
        "3.2 h",
        "4 days",
    ]


def test_counts_stay_short():
    assert [count_text(n) for n in (0, 812, 94_000, 1_234_567)] == [
        "-",
        "812",
        "94K",
        "1.2M",
    ]


def test_a_bar_is_as_long_as_it_shall_be():
    assert bar_text(0.5, 12) == "[#####.....]"
    assert bar_text(9.0, 6) == "[####]"


def test_used_memory_is_told_in_the_unit_of_the_whole():
    whole, used = 24 * GIB, 881 * 1024**2  # 881 MiB were shown as 881 GiB
    plain = Machine((), whole, whole - used)
    assert machine_text(plain, short=True) == "0.9/24.0 GiB"
    card = Gpu(1, "H100", whole, whole - used, 0)
    shared = Machine((card,), whole, whole)
    assert machine_text(shared, short=False) == "cuda:1 H100 0.9/24.0 GiB"
