"""A Responses server on this machine, as strict as the real one."""

from bot.playground.responses.profile import Profile
from bot.playground.responses.scripts import Scripted
from bot.playground.responses.server import LocalResponses

__all__ = ["LocalResponses", "Profile", "Scripted"]
