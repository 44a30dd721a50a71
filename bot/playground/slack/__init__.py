"""A Slack on this machine: its Web API, its events, and a page to talk in."""

from bot.playground.slack.limits import Limits, sold
from bot.playground.slack.server import LocalSlack

__all__ = ["Limits", "LocalSlack", "sold"]
