"""What a server is: its kind, its models, and how long their context is."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from qwen_tui.backends.remote_dialects import DIALECTS, Dialect
from qwen_tui.backends.remote_faults import no_model, not_openai
from qwen_tui.backends.remote_http import ServerHttp
from qwen_tui.backends.remote_server import Server, ServerOptions
from qwen_tui.errors import ServerError


@dataclass(frozen=True, slots=True)
class ServerModel:
    """A model that a server has."""

    name: str
    """As it is named in requests; empty for the one a server was started with."""
    context_length: int = 0
    """Tokens; 0 where the server does not tell."""


@dataclass(frozen=True, slots=True)
class ServerLook:
    """What a server tells of itself."""

    dialect: Dialect
    version: str
    """Empty where it does not tell."""
    models: tuple[ServerModel, ...]

    def choose(self, http: ServerHttp, wanted: str) -> ServerModel:
        """Return the model to ask.

        Raises:
            ServerError: it is not there, or there are several and none was named.
        """
        names = tuple(model.name for model in self.models)
        for model in self.models:
            if model.name == wanted:
                return model
        if self.dialect.loads_any:  # it lists what is cached, and loads what is asked
            return ServerModel(wanted)
        if wanted or len(names) != 1:
            raise no_model(http.server, wanted, names)
        return self.models[0]


async def look_at(http: ServerHttp) -> ServerLook:
    """Ask a server what it is.

    Raises:
        ServerError: it is not there, refuses, or is something else.
    """
    try:
        entries = _entries(http, await http.get("/v1/models"))
    except ServerError as error:
        # transformers serve fails on its list where no Hugging Face cache exists
        is_list_broken = error.code == "server_error"
        if not (is_list_broken and await _is_transformers(http)):
            raise
        return ServerLook(DIALECTS["transformers"], "", ())
    models = tuple(ServerModel(e["id"], _context_length(e)) for e in entries)
    owners = {str(entry.get("owned_by")) for entry in entries}
    for kind in ("vllm", "sglang", "llamacpp"):
        if kind in owners:
            return await _details(http, ServerLook(DIALECTS[kind], "", models))
    if version := await _ollama_version(http):
        look = ServerLook(DIALECTS["ollama"], version, models)
        return replace(look, models=await with_running_context(http, models))
    kind = "transformers" if await _is_transformers(http) else "openai"
    return ServerLook(DIALECTS[kind], "", models)


async def look_once(server: Server, options: ServerOptions) -> ServerLook:
    """Ask a server what it is, and leave it; raises as `look_at`, and UsageError."""
    http = ServerHttp(server, options)
    try:
        return await look_at(http)
    finally:
        await http.close()


async def with_running_context(
    http: ServerHttp, models: Iterable[ServerModel]
) -> tuple[ServerModel, ...]:
    """Return Ollama's models, with the context of those that run now.

    Source: docs/api.md, "List Running Models".
    """
    running: dict[str, int] = {}
    for entry in _dicts((await _maybe(http, "/api/ps")).get("models")):
        running[str(entry.get("name"))] = _whole(entry.get("context_length"))
    return tuple(
        replace(model, context_length=running.get(model.name, model.context_length))
        for model in models
    )


async def _details(http: ServerHttp, look: ServerLook) -> ServerLook:
    """Add what a kind tells at an address of its own."""
    match look.dialect.kind:
        case "vllm":
            told = await _maybe(http, "/version")
            return replace(look, version=str(told.get("version") or ""))
        case "llamacpp":
            told = await _maybe(http, "/props")
            length = _inside(told, "default_generation_settings", "n_ctx")
            if length and len(look.models) == 1:
                look = replace(
                    look, models=(replace(look.models[0], context_length=length),)
                )
            return replace(look, version=str(told.get("build_info") or ""))
        case _:
            return look


def _entries(http: ServerHttp, told: object) -> list[dict[str, Any]]:
    """Return the entries of a list of models that have a name."""
    data = cast(dict[str, Any], told).get("data") if isinstance(told, dict) else None
    if not isinstance(data, list):
        raise not_openai(http.server)
    return [e for e in _dicts(cast(object, data)) if isinstance(e.get("id"), str)]


def _context_length(entry: dict[str, Any]) -> int:
    """Return what vLLM and SGLang (max_model_len) or llama.cpp (meta.n_ctx) tell."""
    return _whole(entry.get("max_model_len")) or _inside(entry, "meta", "n_ctx")


async def _ollama_version(http: ServerHttp) -> str:
    return str((await _maybe(http, "/api/version")).get("version") or "")


async def _is_transformers(http: ServerHttp) -> bool:
    paths = (await _maybe(http, "/openapi.json")).get("paths")
    return isinstance(paths, dict) and "/load_model" in paths


async def _maybe(http: ServerHttp, path: str) -> dict[str, Any]:
    """Return the JSON object at a path, an empty one where there is none."""
    told: Any = None
    with contextlib.suppress(ServerError):
        told = await http.get(path)
    return cast(dict[str, Any], told) if isinstance(told, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    entries = cast(list[Any], value) if isinstance(value, list) else []
    return [cast(dict[str, Any], e) for e in entries if isinstance(e, dict)]


def _inside(told: dict[str, Any], name: str, field: str) -> int:
    """Return a whole number in an object inside an object; 0 where there is none."""
    inner = _dicts([told.get(name)])
    return _whole(inner[0].get(field)) if inner else 0


def _whole(value: object) -> int:
    return max(0, value) if isinstance(value, int) else 0
