"""However a file is broken, the import says so or what it brings can be used."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_tui.errors import TransferError
from qwen_tui.store.conversations import Store
from qwen_tui.store.transfer.exchange import backup_text, export_text, import_file
from tests.store.chats import contents

SAMPLES = Path(__file__).parents[2] / "data" / "imports"
VALUES: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([1e300, 10**400, float("nan"), float("inf"), -1.0, 1e11]),
    st.sampled_from(["", "x", "u1", "a1", "m1", "root", "user", "assistant", "\ud800"]),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(["m1", "a1", 3, None]), max_size=3),
)


def places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value of a JSON document."""
    inner: list[Any] = []
    if isinstance(body, dict):
        inner = list(body)
    elif isinstance(body, list):
        inner = list(range(len(body)))
    found = [path] if path else []
    for key in inner:
        found += places(body[key], (*path, key))
    return found


@pytest.mark.parametrize(
    "name", ["qwen_tui.json", "chatgpt.json", "open_webui.json", "openai.json"]
)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_value_may_be_anything(
    store: Store, tmp_path: Path, name: str, data: st.DataObject
) -> None:
    for summary in (*store.summaries(), *store.summaries(archived=True)):
        store.delete(summary.id)
    body = json.loads((SAMPLES / name).read_text())
    for _ in range(data.draw(st.integers(1, 2))):
        *path, last = data.draw(st.sampled_from(places(body)))
        target = body
        for key in path:
            target = target[key]
        target[last] = data.draw(VALUES)
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(body))
    try:
        added = import_file(store, file).added
    except TransferError:
        assert contents(store) == []
        return
    for chat in added:
        loaded = store.load(chat.id)
        for message_id in loaded.messages:
            assert loaded.branch(message_id)
        for form in ("md", "openai", "json"):
            assert export_text(loaded, form)
    store.search("a")
    again = tmp_path / "again.json"
    again.write_text(backup_text([store.load(chat.id) for chat in added]))
    rows = contents(store)
    for chat in added:
        store.delete(chat.id)
    import_file(store, again)
    assert contents(store) == rows
