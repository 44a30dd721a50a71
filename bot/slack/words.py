"""What the bot says about itself."""

from __future__ import annotations


def help_words(bot_user: str, command: str) -> str:
    """Say how to ask, in words that read the same as Markdown and as mrkdwn."""
    return (
        f"Ask me anything that can be looked up on the web.\n\n"
        f"• In a channel, mention me: <@{bot_user}> and your question\n"
        f"• In a direct message, just write\n"
        f"• Anywhere, type `{command}` and your question\n"
        f"• For research that takes up to an hour, begin the question with `research:`\n"
        f"• To catch up on a channel, type `{command.removesuffix('ask')}digest 7d` in it\n\n"
        f"I answer in a thread, with numbered sources and the searches I ran. Go on in the same "
        f"thread, and I remember what was said there."
    )


def elsewhere_words(link: str) -> str:
    """Say that the answer comes in a direct message."""
    where = f": {link}" if link else "."
    return f"I can't write in this channel, so I answer you in a direct message{where}"


WAITS = "answers the question before this one, and then this one"  # below the bot's name
GOING_ON = "I am being restarted, and go on with this answer in a moment."

UNKNOWN_COMMAND = "I do not know this command; mine end in `ask`, `research` and `digest`."
RESEARCH_HELP = (
    "Write what to research after the command. It may take up to an hour; the report comes in a "
    "thread, with its sources, and you are told when it is there."
)

NOT_ASKED = (
    "Something kept me from asking your question, so there will be no answer. Try again, or invite "
    "me to the channel first; an administrator can look it up (reference {reference})."
)

NOT_DIGESTED = (
    "Something kept me from beginning your digest, so there will be none. Try again; an "
    "administrator can look it up (reference {reference})."
)

RESEARCH_GOES_ON = "I am being restarted, and go on with this research in a moment."
RESEARCH_BEGINS_ANEW = "I am being restarted, and begin this research anew in a moment."
BEGUN_ANEW = "A restart of the bot would begin this anew."
ANSWER_OR_START = "Answer here in the thread, or have me start with what I know."
REPORT_READY = "your report is ready."
NO_REPORT = "the research has ended without a report."
WHOLE_REPORT_BELOW = "This is how it begins; the whole report is below."
