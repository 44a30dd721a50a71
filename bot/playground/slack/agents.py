"""The agent surface: statuses, sessions with titles, suggested prompts; and views."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.playground.slack.arguments import Refusal
from bot.playground.slack.blocks import check_blocks
from bot.playground.slack.messages import writable

if TYPE_CHECKING:
    from bot.playground.slack.arguments import Arguments
    from bot.playground.slack.server import LocalSlack

Json = dict[str, Any]

TITLE_LIMIT, PROMPTS_LIMIT, LOADING_LIMIT, VIEW_TITLE_LIMIT = 200, 4, 10, 24
STATUSES = {"active", "processing", "suspended", "closed"}


async def set_status(slack: LocalSlack, args: Arguments) -> Json:
    """Show a line such as "is searching…" below a thread."""
    channel, root = _thread(slack, args)
    status = args.values.get("status")
    if not isinstance(status, str) or len(args.values.get("loading_messages", [])) > LOADING_LIMIT:
        raise Refusal("invalid_arguments")
    slack.set_status(channel, root, status)
    slack.set_session(channel, root, "processing" if status else "active")
    return {}


async def set_title(slack: LocalSlack, args: Arguments) -> Json:
    """Name a thread."""
    channel, root = _thread(slack, args)
    slack.set_session(channel, root, title=_title(args))
    return {}


async def set_suggested_prompts(slack: LocalSlack, args: Arguments) -> Json:
    """Offer questions in the direct message."""
    channel = writable(slack, _with_channel(args))
    if not channel.is_im or "thread_ts" in args.values:
        raise Refusal("not_agent_app")
    prompts = args.items("prompts", "invalid_arguments")
    good = all(
        isinstance(p.get("title"), str) and isinstance(p.get("message"), str) for p in prompts
    )
    if not good or not 1 <= len(prompts) <= PROMPTS_LIMIT:
        raise Refusal("invalid_arguments")
    slack.set_prompts(channel.id, prompts)
    return {}


async def session_status(slack: LocalSlack, args: Arguments) -> Json:
    """Set what a session does."""
    channel, root = _thread(slack, args)
    status = args.text("status")
    if status not in STATUSES:
        raise Refusal("invalid_status")
    title = _title(args) if "title" in args.values else None
    slack.set_session(channel, root, status, title=title)
    return {}


async def rename_session(slack: LocalSlack, args: Arguments) -> Json:
    """Name a session that there is."""
    channel, root = _thread(slack, args)
    if slack.session(channel, root) is None:
        raise Refusal("session_not_found")
    slack.set_session(channel, root, title=_title(args))
    return {}


async def publish_view(slack: LocalSlack, args: Arguments) -> Json:
    """Show a person's Home."""
    view = _view(slack, args)
    slack.show_home(args.text("user_id"), view)
    return {"view": view}


async def open_view(slack: LocalSlack, args: Arguments) -> Json:
    """Open a modal, once for each press of a button."""
    view, trigger = _view(slack, args), args.text("trigger_id")
    if not slack.use_trigger(trigger):
        raise Refusal("exchanged_trigger_id")
    slack.views[trigger] = view
    return {"view": view | {"id": f"V{len(slack.views)}"}}


def _thread(slack: LocalSlack, args: Arguments) -> tuple[str, str]:
    channel = writable(slack, _with_channel(args))
    root = args.optional("thread_ts")
    if root is None:
        raise Refusal("thread_ts_required")
    if root not in channel.messages:
        raise Refusal("invalid_thread_ts")
    return channel.id, root


def _with_channel(args: Arguments) -> Arguments:
    return type(args)({"channel": args.text("channel_id")})


def _title(args: Arguments) -> str:
    title = args.text("title")
    if len(title) > TITLE_LIMIT:
        raise Refusal("invalid_name")
    return title


def _view(slack: LocalSlack, args: Arguments) -> Json:
    view = args.mapping("view", "invalid_arguments")
    if (
        not view
        or view.get("type") not in {"home", "modal"}
        or not isinstance(view["blocks"], list)
    ):
        raise Refusal("invalid_arguments")
    limits = replace(
        slack.limits,
        blocks=slack.limits.view_blocks,
        blocks_characters=slack.limits.view_characters,
    )
    check_blocks(view["blocks"], limits)
    title = view.get("title")
    if view["type"] == "modal" and (not title or len(title["text"]) > VIEW_TITLE_LIMIT):
        raise Refusal("invalid_arguments")
    return view
