"""What the bot says about itself."""

from __future__ import annotations


def help_words(bot_user: str, command: str) -> str:
    """Say how to ask, in words that read the same as Markdown and as mrkdwn."""
    return (
        f"Ask me anything that can be looked up on the web.\n\n"
        f"• In a channel, mention me: <@{bot_user}> and your question\n"
        f"• In a direct message, just write\n"
        f"• Anywhere, type `{command}` and your question\n\n"
        f"I answer in a thread, with numbered sources and the searches I ran. Go on in the same "
        f"thread, and I remember what was said there."
    )


def elsewhere_words(link: str) -> str:
    """Say that the answer comes in a direct message."""
    where = f": {link}" if link else "."
    return f"I can't write in this channel, so I answer you in a direct message{where}"


WAITS = "answers the question before this one, and then this one"  # below the bot's name
GOING_ON = "I am being restarted, and go on with this answer in a moment."

UNKNOWN_COMMAND = "I do not know this command; mine ends in `ask`."

NOT_ASKED = (
    "Something kept me from asking your question, so there will be no answer. Try again, or invite "
    "me to the channel first; an administrator can look it up (reference {reference})."
)
