"""`models list`, `verify`, `delete` and `purge` over caches by the real library."""

import json
import os
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.cli.cells import cell_width, fitted, table
from qwen_tui.cli.main import main
from qwen_tui.cli.models_local import ago
from tests.e2e.terminal import Terminal
from tests.fake_hub import FakeHub, etag
from tests.hub.library import library_snapshot
from tests.hub.models import safetensors, same_as, tree, whole_model, write_files

REPO = "owner/model"
BIG = "model.safetensors"
OLD = whole_model()
NEW = {**OLD, BIG: safetensors(400_000)}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with FakeHub() as hub:
        yield hub


@pytest.fixture
def cache(home: Path) -> Path:
    return home / "hf" / "hub"


@pytest.fixture
def two(hub: FakeHub, cache: Path) -> tuple[str, str]:
    """Two revisions of one repo; old and new commit."""
    commits: list[str] = []
    for files in (OLD, NEW):
        commits.append(hub.add_repo(REPO, files))
        library_snapshot(hub, REPO, cache)
    return commits[0], commits[1]


@pytest.fixture
def blob(two: tuple[str, str], cache: Path) -> Path:
    """The big file of the new revision."""
    return cache / "models--owner--model" / "blobs" / etag(BIG, NEW[BIG])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def in_terminal(home: Path, *arguments: str, columns: int = 80) -> Terminal:
    command = [sys.executable, "-m", "qwen_tui", "models", *arguments]
    env = {**os.environ, "TERM": "xterm-256color"}
    return Terminal(command, env=env, columns=columns, rows=30, cwd=home)


def shown(terminal: Terminal) -> list[str]:
    return [line.rstrip() for line in terminal.text().splitlines() if line.strip()]


# -- list ----------------------------------------------------------------------


def test_a_terminal_shows_a_table_with_old_revisions(
    two: tuple[str, str], home: Path
) -> None:
    old, new = two
    with in_terminal(home, "list") as terminal:
        assert terminal.wait_exit() == 0
        head, row, revision, demo = shown(terminal)
    assert head.split() == ["MODEL", "SIZE", "REVISION", "LAST", "USED", "STATE"]
    assert row.split()[:2] == [REPO, "400.3"]
    assert new[:7] in row
    assert row.endswith("ready")
    assert head.index("STATE") == row.index("ready") == demo.index("ready")
    assert old[:7] in revision
    assert "frees 120 B" in revision  # its weights; config.json is shared


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("columns", [40, 80])
def test_the_table_fits_the_terminal_in_both_languages(
    home: Path, cache: Path, tmp_path: Path, lang: str, columns: int
) -> None:
    folder = tmp_path / "models"
    write_files(folder / "我的模型-千问三代-中文名字很长很长很长很长很长很长", OLD)
    write_files(folder / ("a-long-name-" * 6 + "Q4_K_M"), OLD)
    config = tmp_path / "config.toml"
    config.write_text(f'[model]\nfolders = ["{folder}"]\n', encoding="utf-8")
    arguments = ["list", "--config", str(config), "--lang", lang]
    with in_terminal(home, *arguments, columns=columns) as terminal:
        assert terminal.wait_exit() == 0
        lines = shown(terminal)
    assert len(lines) == 4  # nothing wrapped
    ready = "ready" if lang == "en" else "就绪"
    places = {_columns_before(line, ready) for line in lines[1:]}
    assert len(places) == 1
    assert any("Q4_K_M " in line for line in lines)  # what names differ in stays


def _columns_before(line: str, text: str) -> int:
    # pyte gives a wide character one cell more, as a terminal does, but empty
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in line.partition(text)[0]
    )


def test_hostile_names_reach_no_terminal(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    write_files(folder / "a\x1b[31m\nb\u202e", OLD)
    config = tmp_path / "config.toml"
    config.write_text(f'[model]\nfolders = ["{folder}"]\n')
    with in_terminal(home, "list", "--config", str(config)) as terminal:
        assert terminal.wait_exit() == 0
        assert len(shown(terminal)) == 3
    assert b"\x1b" not in terminal.raw
    assert "\u202e".encode() not in terminal.raw


def test_a_pipe_gets_one_line_a_model(
    two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "list"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == [REPO, "demo"]
    assert err == ""


def test_json_has_every_field(
    two: tuple[str, str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two
    assert main(["models", "list", "--json"]) == 0
    model = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (model["name"], model["repo"], model["kind"]) == (REPO, REPO, "folder")
    assert (model["revision"], model["complete"], model["reason"]) == (new, True, "")
    assert model["size_bytes"] == sum(map(len, {*OLD.values(), *NEW.values()}))
    assert (model["in_cache"], model["partial_bytes"]) == (True, 0)
    assert abs(model["last_used"] - time.time()) < 1000
    assert model["repo_folder"] == str(cache / "models--owner--model")
    assert [r["commit"] for r in model["revisions"]] == [new, old]
    assert model["revisions"][0]["refs"] == ["main"]
    assert model["revisions"][1]["freed_bytes"] == len(OLD[BIG])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "just now"),
        (-100, "just now"),
        (61, "1 min ago"),
        (3599, "59 min ago"),
        (7200, "2 h ago"),
        (86400 * 13, "13 d ago"),
        (86400 * 15, "2 w ago"),
        (86400 * 365, "52 w ago"),
    ],
)
def test_how_long_ago_reads_short(seconds: float, text: str) -> None:
    assert ago(time.time() - seconds) == text
    assert ago(None) == "-"


def test_cells_are_counted_and_names_cut_in_their_middle() -> None:
    assert cell_width("千问 3") == 6
    assert cell_width("e\u0301") == 1
    assert fitted("千问模型三代", 9) == "千...三代"
    assert cell_width(fitted("千问模型三代" * 3, 20)) == 20
    assert fitted("12", 5, right=True) == "   12"
    assert table([["a", "b"], ["千问", "c"]], width=None) == ["a     b", "千问  c"]
    assert table([], width=80) == []


# -- verify --------------------------------------------------------------------


def test_a_good_model_is_said_to_be_good(
    two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "verify", REPO]) == 0
    assert "3 files checked, all good" in capsys.readouterr().out


def test_a_bad_file_is_named_with_the_command_that_fetches_it(
    hub: FakeHub, blob: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(blob)
    assert main(["models", "verify", REPO]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{BIG}: ")
    assert err.count("\n") == 1
    command = f"rm {blob} && qwen-tui models download {REPO}"
    assert err.rstrip().endswith(command)
    assert blob.exists()  # nobody said that it may go


def test_discarded_it_is_fetched_alone(
    hub: FakeHub, blob: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(blob)
    assert main(["models", "verify", REPO, "--discard"]) == 1
    assert capsys.readouterr().err.rstrip().endswith(f"models download {REPO}")
    assert not blob.exists()
    before = [hub.file_bytes("config.json"), hub.file_bytes(BIG)]
    assert main(["models", "download", REPO, "--endpoint", hub.url]) == 0
    after = [hub.file_bytes("config.json"), hub.file_bytes(BIG)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, len(NEW[BIG])]
    assert same_as(Path(capsys.readouterr().out.strip()), NEW)
    assert main(["models", "verify", REPO]) == 0


def test_a_bad_file_of_an_old_revision_comes_with_its_commit(
    two: tuple[str, str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(cache / "models--owner--model" / "blobs" / etag(BIG, OLD[BIG]))
    assert main(["models", "verify", REPO, "--hf-home", str(cache.parent)]) == 1
    out, err = capsys.readouterr()
    assert two[0][:7] in out
    command = f"download {REPO} --hf-home {cache.parent} --revision {two[0]}"
    assert err.rstrip().endswith(command)


def test_verify_tells_json(blob: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(blob)
    assert main(["models", "verify", REPO, "--json"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    total = sum(map(len, {*OLD.values(), *NEW.values()}))
    assert {e["total_bytes"] for e in events if e["event"] == "progress"} == {total}
    done, error = events[-2:]
    assert (done["event"], done["checked"], done["unknown"]) == ("done", 3, [])
    assert [bad["path_in_repo"] for bad in done["bad"]] == [BIG]
    assert done["bad"][0]["blob"] == str(blob)
    assert (error["event"], error["code"]) == ("error", "model_corrupt")


def test_a_terminal_shows_a_bar_and_is_asked(blob: Path, home: Path) -> None:
    flip(blob)
    with in_terminal(home, "verify", REPO) as terminal:
        terminal.wait_for("[y/N]")
        assert any(line.startswith(f"{BIG}: ") for line in shown(terminal))
        terminal.send("y\r")
        assert terminal.wait_exit() == 1
        assert b"%" in terminal.raw
    assert not blob.exists()


def test_the_demo_has_no_known_hash(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", "demo"]) == 0
    assert "no known hash" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["verify", "delete"])
@pytest.mark.parametrize("name", ["o/gone", "/gone", "qwen3-8b"])
def test_a_model_that_is_not_here_is_one_line(
    command: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", command, name]) == 1
    assert capsys.readouterr().err.count("\n") == 1


# -- delete --------------------------------------------------------------------


def test_delete_wants_a_yes_where_nobody_can_be_asked(
    two: tuple[str, str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree(cache)
    assert main(["models", "delete", REPO]) == 2
    assert "--yes" in capsys.readouterr().err
    assert tree(cache) == before


def test_an_old_revision_is_deleted_by_its_first_digits(
    two: tuple[str, str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two
    assert main(["models", "delete", REPO, "--revision", old[:4], "--yes"]) == 0
    assert "120 B freed" in capsys.readouterr().out
    snapshots = cache / "models--owner--model" / "snapshots"
    assert [path.name for path in snapshots.iterdir()] == [new]


@pytest.mark.parametrize("revision", ["nope", "", "a"])
def test_a_revision_that_is_not_here_is_refused_with_those_that_are(
    two: tuple[str, str], cache: Path, capsys: pytest.CaptureFixture[str], revision: str
) -> None:
    before = tree(cache)
    status = main(["models", "delete", REPO, "--revision", revision, "--yes"])
    assert status == 1
    err = capsys.readouterr().err
    assert all(commit[:7] in err for commit in two)
    assert tree(cache) == before


def test_delete_tells_json(
    two: tuple[str, str], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "delete", REPO, "--yes", "--json"]) == 0
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["name"]) == ("deleted", REPO)
    assert set(event["commits"]) == set(two)
    assert event["freed_bytes"] == sum(map(len, {*OLD.values(), *NEW.values()}))
    assert not (cache / "models--owner--model").exists()


@pytest.mark.parametrize(("answer", "status"), [("n", 1), ("", 1), ("y", 0)])
def test_a_terminal_names_what_is_lost_and_asks(
    two: tuple[str, str], home: Path, cache: Path, answer: str, status: int
) -> None:
    with in_terminal(home, "delete", REPO) as terminal:
        terminal.wait_for("[y/N]")
        text = terminal.text()
        assert all(commit[:7] in text for commit in two)
        assert "400.3 kB will be freed" in text
        terminal.send(f"{answer}\r")
        assert terminal.wait_exit() == status
    assert (cache / "models--owner--model").exists() == bool(status)


def test_the_demo_cannot_be_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "delete", "demo", "--yes"]) == 1
    assert "part of qwen-tui" in capsys.readouterr().err


# -- purge ---------------------------------------------------------------------


@pytest.fixture
def partials(cache: Path) -> list[Path]:
    """One of ours, 3 bytes, and one that the library left behind, 5 bytes."""
    blobs = cache / "models--o--m" / "blobs"
    names = {
        f"{'a' * 64}.incomplete": b"123",
        f"{'b' * 64}.0f1e2d3c.incomplete": b"12345",
    }
    return [write_files(blobs, {name: names[name]}) / name for name in names]


def test_purge_takes_everything_unfinished(
    partials: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "purge"]) == 2
    assert main(["models", "purge", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "8 B freed" in out
    assert not any(path.exists() for path in partials)


def test_purge_can_leave_what_a_download_goes_on_from(
    partials: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "purge", "--orphans", "--yes", "--json"]) == 0
    event = json.loads(capsys.readouterr().out)
    assert (event["event"], event["freed_bytes"], event["files"]) == ("purged", 5, 1)
    assert [path.exists() for path in partials] == [True, False]


def test_a_terminal_says_what_would_have_to_come_again(
    partials: list[Path], home: Path
) -> None:
    with in_terminal(home, "list") as terminal:
        terminal.wait_exit()
        assert "models purge --orphans" in terminal.text()
    with in_terminal(home, "purge") as terminal:
        terminal.wait_for("[y/N]")
        assert "fetch 3 B again" in terminal.text()
        terminal.send("n\r")
        assert terminal.wait_exit() == 1
    assert all(path.exists() for path in partials)


def test_with_nothing_unfinished_purge_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models", "purge"]) == 0
    assert "nothing" in capsys.readouterr().out
