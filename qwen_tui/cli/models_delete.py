"""`qwen-tui models delete` and `purge`: give disk space back."""

from collections.abc import Sequence

from qwen_tui.cli.cells import output_width, table
from qwen_tui.cli.context import Context
from qwen_tui.cli.models_local import ago, short_commit
from qwen_tui.cli.output import confirmed, say, say_json, size_text
from qwen_tui.errors import ModelNotFound
from qwen_tui.hub.cache import LocalModel
from qwen_tui.hub.delete import Deletion, delete, plan_deletion
from qwen_tui.hub.find import find_local
from qwen_tui.hub.leftovers import empty_repos, remove_empty_repos
from qwen_tui.hub.partials import Partial, list_partials, purge_partials
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line

_LEAST_COMMIT = 4


def delete_model(context: Context) -> int:
    """Delete one model, or one revision of it."""
    args, settings = context.args, context.settings
    model = find_local(
        args.model, cache_dir=settings.hf_cache, folders=settings.model.folders
    )
    # an empty one, of a script's empty variable, must not mean "all of them"
    commits = () if args.revision is None else (_commit(model, args.revision),)
    plan = plan_deletion(model, commits, cache_dir=settings.hf_cache)
    if not args.yes and not _agreed(_question(plan, model), plan.title):
        return 1
    freed_bytes = delete(plan)
    if args.json:
        say_json(
            {
                "event": "deleted",
                "name": plan.title,
                "commits": list(plan.commits),
                "freed_bytes": freed_bytes,
            }
        )
    else:
        say(
            _("Deleted {name}: {size} freed.").format(
                name=sanitize_line(plan.title), size=size_text(freed_bytes)
            )
        )
    return 0


def purge(context: Context) -> int:
    """Delete unfinished files, and repo folders that hold nothing."""
    args, settings = context.args, context.settings
    cache_dir = settings.hf_cache
    found = list_partials(cache_dir, settings.model.folders)
    doomed = [p for p in found if not p.in_use and not (args.orphans and p.ours)]
    if not args.json:
        _show(found)
    n_empty = len(empty_repos(cache_dir))
    if not doomed and not n_empty:
        if not args.json:
            say(_("There is nothing to purge."))
        return 0
    if doomed and not args.yes and not _agreed(_purge_question(doomed), "purge"):
        return 1
    freed_bytes, n_files = purge_partials(doomed), len(doomed)
    n_empty = remove_empty_repos(cache_dir)
    if args.json:
        say_json(
            {
                "event": "purged",
                "freed_bytes": freed_bytes,
                "files": n_files,
                "empty_repos": n_empty,
            }
        )
    else:
        say(_("{size} freed.").format(size=size_text(freed_bytes)))
    return 0


def _commit(model: LocalModel, revision: str) -> str:
    """The commit that a branch, a tag or the first digits of a commit mean."""
    for found in model.revisions:
        if revision in (found.commit, *found.refs):
            return found.commit
    matches = [r.commit for r in model.revisions if r.commit.startswith(revision)]
    if len(matches) == 1 and len(revision) >= _LEAST_COMMIT:
        return matches[0]
    raise ModelNotFound(
        _("{name} has no revision {revision} here.").format(
            name=sanitize_line(model.source.name), revision=sanitize_line(revision)
        ),
        hint=_("Choose one of: {names}").format(
            names=", ".join(short_commit(r.commit) for r in model.revisions)
        ),
    )


def _agreed(question: str, title: str) -> bool:
    refusal = _("Deleting {title} needs a yes.").format(title=sanitize_line(title))
    return confirmed(question, refusal=refusal)


def _question(plan: Deletion, model: LocalModel) -> str:
    """Name everything that is lost, and ask in the last line."""
    lost = [
        " ".join([short_commit(revision.commit), *map(sanitize_line, revision.refs)])
        for revision in model.revisions
        if revision.commit in plan.commits
    ]
    lines: list[str] = []
    if len(lost) > 1:
        lines.append(_("Its revisions: {names}.").format(names=", ".join(lost)))
    if plan.whole and model.partial_bytes:
        lines.append(
            _("Its unfinished files, {size}, go with it.").format(
                size=size_text(model.partial_bytes)
            )
        )
    lines.append(_("{size} will be freed.").format(size=size_text(plan.freed_bytes)))
    lines.append(_("Delete {name} for ever?").format(name=sanitize_line(plan.title)))
    return "\n".join(lines)


def _show(partials: Sequence[Partial]) -> None:
    rows = [
        [
            sanitize_line(partial.repo),
            size_text(partial.size_bytes),
            ago(partial.modified),
            _whose(partial),
        ]
        for partial in partials
    ]
    for line in table(rows, width=output_width(), right=[1]):
        say(line)


def _whose(partial: Partial) -> str:
    if partial.in_use:
        return _("being downloaded, stays")
    if partial.ours:
        return _("a download goes on from it")
    return _("left behind, of no use")


def _purge_question(doomed: Sequence[Partial]) -> str:
    size_bytes = sum(partial.size_bytes for partial in doomed)
    question = ngettext(
        "Delete {n} unfinished file, {size}?",
        "Delete {n} unfinished files, {size}?",
        len(doomed),
    ).format(n=len(doomed), size=size_text(size_bytes))
    ours = sum(partial.size_bytes for partial in doomed if partial.ours)
    if not ours:
        return question
    lost = _("Downloads would have to fetch {size} again.").format(size=size_text(ours))
    return f"{lost}\n{question}"
