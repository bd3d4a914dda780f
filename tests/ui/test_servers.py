"""Servers in the whole app: shown, chosen, and changed within one conversation."""

from textual.widgets import OptionList

from qwen_tui.backends.remote_server import Server
from qwen_tui.settings import SavedServer
from qwen_tui.ui.screens.servers import ServersScreen
from tests.backends.scripted_server import Cut, Hold, ScriptedServer, delta, last
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

NOBODY = "http://127.0.0.1:9"


async def test_a_server_answers_from_the_start(make_app: MakeApp):
    with ScriptedServer("vllm") as server:
        server.says(thinking=["Let me see."], answer=["Par", "is."])
        app = make_app(model_name="", server=Server(server.url, "box"))
        async with app.run_test(size=(120, 30)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.shown("qwen @ box vLLM")
            await person.asks("Capital of France?")
            await person.shown("Paris.")
            answer = person.saved().branch()[-1]
    assert (answer.thinking, answer.content) == ("Let me see.", "Paris.")
    assert answer.model == "qwen @ box"
    assert answer.usage["prompt_tokens"] == 11
    assert server.asked[0]["top_k"] == 20


async def test_one_conversation_goes_to_a_server_and_comes_back(make_app: MakeApp):
    local = [ScriptedBackend(says("Hello Ada.")), ScriptedBackend(says("Rome."))]
    with ScriptedServer("sglang") as server:
        server.says(answer=["You are Ada."])
        app = make_app(*local, servers=[SavedServer("box", server.url)])
        async with app.run_test(size=(120, 40)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.asks("I am Ada.")
            await person.types("/server box")
            await person.shown("qwen @ box SGLang")
            await person.ready()
            await person.asks("Who am I?")
            await person.types("/server off")
            await person.gone("SGLang")
            await person.ready()
            await person.asks("Capital of Italy?")
            branch = person.saved().branch()
    assert [m.model for m in branch if m.role == "assistant"] == [
        "scripted", "qwen @ box", "scripted",
    ]  # fmt: skip
    told = [m["content"] for m in server.asked[0]["messages"]]
    assert told == ["I am Ada.", "Hello Ada.", "Who am I?"]
    last = [m.content for m in local[1].requests[0].messages]
    assert last == [*told, "You are Ada.", "Capital of Italy?"]
    assert local[0].closed


async def test_the_list_shows_every_server_with_its_models_or_what_is_wrong(
    make_app: MakeApp,
):
    with ScriptedServer("vllm", models=["small", "large"]) as server:
        servers = [SavedServer("box", server.url), SavedServer("gone", NOBODY)]
        app = make_app(servers=servers)
        async with app.run_test(size=(120, 30)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.types("/server")
            await person.shown("small  4,096 tokens  vLLM 0.26.0")
            await person.shown(f"Nothing answers at {NOBODY}.")
            await person.shown("This machine  scripted")
            assert isinstance(app.screen, ServersScreen)
            rows = app.screen.query_one("#servers-list", OptionList)
            rows.highlighted = 2
            await pilot.press("enter")
            await person.shown("large @ box vLLM")
            await person.ready()
            await person.asks("Hi")
    assert [a["model"] for a in server.asked] == ["large"]


async def test_several_models_are_offered_and_escape_changes_nothing(
    make_app: MakeApp,
):
    with ScriptedServer("vllm", models=["small", "large"]) as server:
        app = make_app()
        async with app.run_test(size=(120, 30)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.types(f"/server {server.url}")
            await person.shown("large  4,096 tokens")
            await pilot.press("escape")
            await person.gone("large  4,096 tokens")
            await person.asks("Hi")
            assert person.branch[-1].model == "scripted"
            await person.types(f"/server {server.url} small")
            await person.shown("small @ 127.0.0.1")


async def test_a_server_that_is_not_there_is_told_and_the_way_back_works(
    make_app: MakeApp,
):
    app = make_app()
    async with app.run_test(size=(160, 30)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types(f"/server {NOBODY}")
        await person.sees(f"Nothing answers at {NOBODY}.")
        await person.types("/server off")
        await person.ready()
        await person.asks("Hi")
        assert person.branch[-1].content == "ok"


async def test_a_name_that_is_no_server_is_told(make_app: MakeApp):
    app = make_app()
    async with app.run_test(size=(120, 30)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/server ftp://box")
        await person.sees("ftp://box is no address of a server.")


async def test_escape_stops_the_answer_of_a_server(make_app: MakeApp):
    with ScriptedServer("vllm") as server:
        server.does(delta(content="Par"), Hold())
        app = make_app(model_name="", server=Server(server.url))
        async with app.run_test(size=(120, 30)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.types("Capital of France?")
            await person.shown("Par")
            await pilot.press("escape")
            await person.sees("Stopped.")
            await until(server.client_left.is_set, pause=pilot.pause)
            assert person.saved().branch()[-1].content == "Par"


async def test_a_cut_answer_of_a_server_goes_on(make_app: MakeApp):
    with ScriptedServer("vllm") as server:
        server.does(delta(content="Par"), Cut())
        server.says(answer=["is."])
        app = make_app(model_name="", server=Server(server.url))
        async with app.run_test(size=(160, 30)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.types("Capital of France?")
            await person.sees("/continue goes on with it.")
            await person.types("/continue")
            await person.shown("Paris.")
            await person.idle()
    assert server.asked[1]["continue_final_message"] is True


async def test_an_answer_that_was_thinking_moves_there(make_app: MakeApp):
    with ScriptedServer("vllm") as server:
        server.does(
            delta(content="Let me see."),
            delta(content="</think>\n\n"),
            delta(content="Paris."),
            last(),
        )
        app = make_app(model_name="", server=Server(server.url))
        async with app.run_test(size=(120, 40)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.asks("Capital?")
            turn = app.chat.transcript.last_answer
            assert turn is not None
            assert turn.view.text == "Paris."
            assert turn.panel is not None
            assert turn.panel.text == "Let me see."
            await person.shown("Paris.")
            await person.gone("Let me see.")  # folded
            answer = person.saved().branch()[-1]
    assert (answer.thinking, answer.content) == ("Let me see.", "Paris.")


async def test_what_has_no_effect_stands_in_the_info_of_the_answer(
    make_app: MakeApp,
):
    with ScriptedServer("ollama") as server:
        app = make_app(model_name="", server=Server(server.url))
        async with app.run_test(size=(120, 40)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.asks("Hi")
            await person.types("/info")
            await person.shown("without effect")
            line = next(
                row for row in person.screen_text().splitlines() if "effect" in row
            )
            assert "top_k" in line


async def test_counts_that_the_server_does_not_tell_are_marked(make_app: MakeApp):
    with ScriptedServer("openai") as server:
        server.says(answer=["a", "b"])
        app = make_app(model_name="", server=Server(server.url))
        async with app.run_test(size=(120, 40)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.asks("Hi")
            await person.sees("~2 tokens")
            await person.types("/context")
            await person.shown("An estimate: the server does not count.")
            await person.shown("the server tells no limit.")


async def test_a_conversation_that_was_held_with_a_server_goes_on_there(
    make_app: MakeApp,
):
    with ScriptedServer("vllm") as server:
        saved = [SavedServer("box", server.url)]
        app = make_app(servers=saved)
        async with app.run_test(size=(120, 30)) as pilot:
            person = Person(app, pilot)
            await person.ready()
            await person.types("/server box")
            await person.shown("qwen @ box vLLM")
            await person.ready()
            await person.asks("Hi")
            chat_id = person.saved().id
        again = make_app(chat=chat_id, model_name="", servers=saved)
        async with again.run_test(size=(120, 30)) as pilot:
            person = Person(again, pilot)
            await person.ready()
            await person.shown("qwen @ box vLLM")
