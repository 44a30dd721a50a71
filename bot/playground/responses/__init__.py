"""A Responses server on this machine, as strict as the real one."""

from bot.playground.responses.profile import Profile
from bot.playground.responses.scripts import Scripted
from bot.playground.responses.server import LocalResponses
from bot.playground.responses.servers import SERVERS

__all__ = ["SERVERS", "LocalResponses", "Profile", "Scripted"]
