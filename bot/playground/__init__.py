"""A Slack and a Responses server on this machine, to talk to and to test against."""
