"""What x, v, r and o do to the models on the disk."""

from pathlib import Path

from qwen_tui.hub.held import locked
from tests.helpers import until
from tests.ui.model_hosts import (
    MIB,
    FakeDownloads,
    HostApp,
    desk_for,
    gone,
    half_way,
    sees,
    settings_for,
    table,
    table_row,
    visible_text,
    write_cached_model,
    write_model,
)

REPO = "Own/Good"
OLD = "b" * 40
ORPHAN = f"{'c' * 64}.0a1b2c3d.incomplete"


def repo_folder(folder: Path, repo: str = REPO) -> Path:
    return folder / "hf" / "hub" / f"models--{repo.replace('/', '--')}"


def flip_a_bit(snapshot: Path) -> None:
    """Damage the weights without changing their size."""
    blob = (snapshot / "model.safetensors").resolve()
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(content)


def write_orphan(folder: Path) -> Path:
    """Write what another tool leaves of a download that was killed."""
    orphan = repo_folder(folder, "Own/Other") / "blobs" / ORPHAN
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(bytes(3 * MIB))
    return orphan


async def test_delete_names_the_model_and_what_it_frees(tmp_path: Path):
    write_cached_model(settings_for(tmp_path), REPO)
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, REPO)
        await pilot.press("x")
        await sees(pilot, "Delete Own/Good? It frees")
        await pilot.press("n")
        await gone(pilot, "Delete Own/Good?")
        assert repo_folder(tmp_path).exists()
        await pilot.press("x")
        await sees(pilot, "Delete Own/Good?")
        await pilot.press("y")
        await sees(pilot, "Own/Good is deleted")
        await until(lambda: table_row(app, REPO) == "", pause=pilot.pause)
    assert not repo_folder(tmp_path).exists()


async def test_what_is_loaded_is_not_deleted(tmp_path: Path):
    snapshot = write_cached_model(settings_for(tmp_path), REPO)
    desk = desk_for(tmp_path)
    desk.in_use = lambda: [snapshot]
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(lambda: "in use" in table_row(app, REPO), pause=pilot.pause)
        await pilot.press("x")
        await sees(pilot, "Delete Own/Good?")
        await pilot.press("y")
        await sees(pilot, "Own/Good is in use.")
        assert "in use" in table_row(app, REPO)
    assert snapshot.exists()


async def test_what_is_being_downloaded_is_not_deleted(tmp_path: Path):
    write_cached_model(settings_for(tmp_path), REPO)
    lock = repo_folder(tmp_path).parent / ".locks" / "models--Own--Good" / "x.lock"
    app = HostApp(desk_for(tmp_path))
    with locked(lock) as is_ours:
        assert is_ours
        async with app.run_test(size=(120, 36)) as pilot:
            await sees(pilot, REPO)
            await pilot.press("x")
            await sees(pilot, "Delete Own/Good?")
            await pilot.press("y")
            await sees(pilot, "Own/Good is being downloaded.")
    assert repo_folder(tmp_path).exists()


async def test_a_watched_folder_is_never_deleted(tmp_path: Path):
    folder = write_model(tmp_path / "models" / "mine")
    settings = settings_for(tmp_path, **{"model.folders": [str(tmp_path / "models")]})
    app = HostApp(desk_for(tmp_path, settings=settings))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "mine (local)")
        await pilot.press(*"/mine", "enter", "x")
        await sees(pilot, "does not lie in the Hugging Face cache itself")
        assert "Delete" not in visible_text(app).splitlines()[-1]
    assert folder.exists()


async def test_old_revisions_are_listed_and_one_is_removed(tmp_path: Path):
    settings = settings_for(tmp_path)
    write_cached_model(settings, REPO)
    old = write_cached_model(settings, REPO, commit=OLD, ref="")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "main @ aaaaaaaa (1 more)")
        await pilot.press("r")
        await sees(pilot, "* aaaaaaaa  main")
        await sees(pilot, "bbbbbbbb")
        await pilot.press("down", "x")
        await sees(pilot, "Delete Own/Good, revision bbbbbbb?")
        await pilot.press("y")
        await sees(pilot, "revision bbbbbbb is deleted")
        await gone(pilot, "(1 more)")
        assert "ready" in table_row(app, REPO)
    assert not old.exists()


async def test_a_good_model_is_verified(tmp_path: Path):
    write_cached_model(settings_for(tmp_path), REPO)
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, REPO)
        await pilot.press("v")
        await sees(pilot, "files are what they should be")
        assert "ready" in table_row(app, REPO)


async def test_files_without_a_known_hash_are_told_as_such(tmp_path: Path):
    write_model(tmp_path / "models" / "mine")
    settings = settings_for(tmp_path, **{"model.folders": [str(tmp_path / "models")]})
    app = HostApp(desk_for(tmp_path, settings=settings))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "mine (local)")
        await pilot.press(*"/mine", "enter", "v")
        await sees(pilot, "no hash is known of its files")


async def test_a_flipped_bit_is_found_and_that_file_alone_is_fetched(tmp_path: Path):
    snapshot = write_cached_model(settings_for(tmp_path), REPO)
    flip_a_bit(snapshot)
    blob = (snapshot / "model.safetensors").resolve()
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, REPO)
        await pilot.press("v")
        await sees(pilot, "1 file is damaged: model.safetensors.")
        await sees(pilot, "model.safetensors: fetch it again?")
        assert "corrupt" in table_row(app, REPO)
        await pilot.press("n", "enter")
        await sees(pilot, "Own/Good cannot be loaded: a file is damaged")
        assert blob.exists()
        await pilot.press("d")
        await sees(pilot, "fetch it again?")
        await pilot.press("y")
        await until(lambda: bool(hub.requests), pause=pilot.pause)
    (request,) = hub.requests
    assert request.only == ("model.safetensors",)
    assert request.revision == snapshot.name
    assert not blob.exists()


async def test_escape_stops_a_verification(tmp_path: Path):
    snapshot = write_cached_model(settings_for(tmp_path), REPO)
    blob = (snapshot / "model.safetensors").resolve()
    with blob.open("r+b") as stream:
        stream.truncate(64 * 1024 * MIB)  # sparse: takes a minute to hash, no space
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, REPO)
        await pilot.press(*"/good", "enter", "v")
        await sees(pilot, "Verifying Own/Good")
        await pilot.press("v")
        await sees(pilot, "One at a time")
        await pilot.press("escape")
        await sees(pilot, "The verification was stopped.")
        assert app.results == []
        await pilot.press("escape", "escape")
        await until(lambda: app.results == [None], pause=pilot.pause)


async def test_orphans_are_purged_by_one_action_and_paused_downloads_stay(
    tmp_path: Path,
):
    orphan = write_orphan(tmp_path)
    etag = "a" * 64
    paused = repo_folder(tmp_path, "Own/New") / "blobs" / f"{etag}.incomplete"
    paused.parent.mkdir(parents=True)
    paused.write_bytes(bytes(MIB))
    hub = half_way()
    hub.events = (hub.events[0], hub.events[1])
    desk = desk_for(tmp_path, downloads=hub)
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "demo")
        await pilot.press("d", *"Own/New", "enter")
        await sees(pilot, "Enter downloads it")
        await pilot.press("enter")
        await sees(pilot, "fetching 50%")
        await pilot.press("p")
        await sees(pilot, "paused 50%")
        await pilot.press("o")
        await sees(pilot, "left by another tool")
        await sees(pilot, "of a paused download")
        await pilot.press("enter")
        await sees(pilot, "Delete 1 unfinished file? It frees 3.0 MiB.")
        await pilot.press("y")
        await sees(pilot, "3.0 MiB are free again.")
    assert not orphan.exists()
    assert paused.exists()


async def test_where_nothing_is_left_over_it_says_so(tmp_path: Path):
    app = HostApp(desk_for(tmp_path, downloads=FakeDownloads()))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "demo")
        await pilot.press("o")
        await sees(pilot, "There are no unfinished files.")


async def test_what_ships_with_the_program_cannot_be_deleted(tmp_path: Path):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "demo")
        assert table(app).key.endswith("model")
        await pilot.press("x")
        await sees(pilot, "does not lie in the Hugging Face cache itself")
        await pilot.press("r")
        await sees(pilot, "It has no revisions")
