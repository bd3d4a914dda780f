"""`ask --server` against a scripted server, in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.cli.main import main
from tests.backends.scripted_server import Cut, ScriptedServer, delta, last

Run = Callable[..., tuple[int, str, str]]
KEY = "sk-hunter2-0123456789"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str) -> tuple[int, str, str]:
        """Return exit status, stdout and stderr."""
        try:
            status = main(list(arguments))
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def configure(home: Path, text: str) -> None:
    file = home / "config" / "qwen-tui" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def saved(url: str, **more: str) -> str:
    lines = [f'{key} = "{value}"' for key, value in more.items()]
    return "\n".join(["[[servers]]", 'name = "box"', f'url = "{url}"', *lines])


def events(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_the_answer_goes_to_stdout_and_the_thinking_to_stderr(run: Run):
    with ScriptedServer("vllm") as server:
        server.says(thinking=["Let me see."], answer=["Par", "is"])
        status, out, err = run("ask", "--server", server.url, "Capital of France?")
    assert (status, out) == (0, "Paris\n")
    assert "Let me see." in err


def test_json_tells_usage_and_what_made_the_answer(run: Run):
    with ScriptedServer("ollama") as server:
        server.says(answer=["Paris"])
        _status, out, _err = run("ask", "--server", server.url, "--json", "Capital?")
    seen = events(out)
    done = seen[-1]
    assert done["usage"]["prompt_tokens"] == 11
    assert done["settings"]["not_passed"] == ["top_k"]
    assert {"event": "not_passed", "names": ["top_k"]}.items() <= next(
        e for e in seen if e["event"] == "not_passed"
    ).items()
    _status, out, _err = run("chats", "show", done["chat"], "--json")
    chat = json.loads(out)
    assert chat["messages"][-1]["content"] == "Paris"
    assert chat["messages"][-1]["model"] == f"qwen @ {server.url[7:]}"


def test_an_answer_that_was_thinking_is_told_and_saved_as_such(run: Run):
    with ScriptedServer("vllm") as server:
        steps = [delta(content="Hm.</think>"), delta(content="ok"), last()]
        server.does(*steps)
        server.does(*steps)
        _status, out, err = run("ask", "--server", server.url, "Capital?")
        _status, told, _err = run("ask", "--server", server.url, "--json", "Capital?")
    assert out == "Hm.\nok\n"
    assert "All up to here was thinking" in err
    kinds = [e["event"] for e in events(told)]
    assert kinds[-4:] == ["answer", "was_thinking", "answer", "done"]
    _status, shown, _err = run("chats", "show", events(told)[-1]["chat"], "--json")
    message = json.loads(shown)["messages"][-1]
    assert (message["thinking"], message["content"]) == ("Hm.", "ok")


def test_a_saved_server_is_found_by_its_name_and_given_its_key(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BOX_KEY", KEY)
    with ScriptedServer("vllm", models=["small", "large"], key=KEY) as server:
        configure(home, saved(server.url, model="large", api_key_env="BOX_KEY"))
        assert run("ask", "--server", "box", "Hi")[:2] == (0, "ok\n")
        assert run("ask", "--server", server.url, "Hi")[:2] == (0, "ok\n")
        run("ask", "--server", "box", "--model", "small", "Hi")
    assert [a["model"] for a in server.asked] == ["large", "large", "small"]


def test_a_conversation_goes_on_where_it_was_held(run: Run):
    with ScriptedServer("sglang") as server:
        run("ask", "--server", server.url, "My name is Ada")
        status, _out, _err = run("ask", "--continue", "What is my name?")
    assert status == 0
    contents = [m["content"] for m in server.asked[1]["messages"]]
    assert contents == ["My name is Ada", "ok", "What is my name?"]


def test_a_server_in_the_settings_answers_until_a_model_is_named(run: Run, home: Path):
    with ScriptedServer("vllm") as server:
        configure(home, f'[server]\ndefault = "{server.url}"\n')
        assert run("ask", "Hi")[0] == 0
        status, _out, err = run("ask", "--model", "no-such-model", "Hi")
    assert status == 1
    assert "no-such-model" in err
    assert len(server.asked) == 1


def test_a_cut_answer_is_saved_and_told(run: Run):
    with ScriptedServer("vllm") as server:
        server.does(delta(content="Par"), Cut())
        status, out, err = run("ask", "--server", server.url, "Capital?")
    assert status == 1
    assert out == "Par\n"
    assert "ended in mid-answer" in err
    _status, out, _err = run("chats", "list", "--json")
    _status, out, _err = run("chats", "show", json.loads(out)["id"], "--json")
    message = json.loads(out)["messages"][-1]
    assert (message["content"], message["state"]) == ("Par", "failed")


def test_the_key_is_in_nothing_that_is_kept(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BOX_KEY", KEY)
    with ScriptedServer("vllm", key=KEY) as server:
        told = run(
            "ask", "--server", server.url, "--api-key-env", "BOX_KEY", "--json", "Hi"
        )
        wrong = run("ask", "--server", server.url, "Hi")
        shown = run("config", "show")
    assert (told[0], wrong[0]) == (0, 1)
    assert all(KEY not in text for text in (*told[1:], *wrong[1:], *shown[1:]))
    files = [f for f in home.rglob("*") if f.is_file()]
    assert any(f.name == "conversations.db" for f in files)
    assert all(KEY.encode() not in f.read_bytes() for f in files)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('[[servers]]\nname = "box"', "url of box"),
        ('[[servers]]\nurl = "http://gpu"', "needs a name"),
        ('[[servers]]\nname = "a"\nurl = "http://u:p@gpu"', "url of a"),
        ('[[servers]]\nname = "a"\nurl = "http://g"\nkey = "sk-1"', "api_key_env"),
        (
            '[[servers]]\nname = "a"\nurl = "http://g"\napi_key_env = "sk-1"',
            "not the key",
        ),
        ('servers = "box"', "[[servers]]"),
        (
            '[[servers]]\nname = "a"\nurl = "http://g"\n' * 2,
            "twice",
        ),
    ],
)
def test_a_wrong_entry_is_told_and_never_its_key(
    run: Run, home: Path, entry: str, reason: str
):
    configure(home, entry)
    status, _out, err = run("config", "show")
    assert status == 2
    assert reason in err
    assert "sk-1" not in err


def test_an_unknown_field_of_a_server_is_noticed(run: Run, home: Path):
    configure(home, saved("http://gpu:8000", modle="x"))
    status, out, _err = run("config", "show")
    assert status == 0
    assert "there is no setting servers.modle; did you mean model?" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--server", "http://[half"),
        ("--server", "http://me:secret@gpu"),
        ("--api-key-env", "X", "--model", "demo"),
    ],
)
def test_wrong_usage_is_told(run: Run, arguments: tuple[str, ...]):
    status, _out, err = run("ask", *arguments, "Hi")
    assert status == 2
    assert "secret" not in err
