"""Footnote: a Slack bot that researches a question on the web and shows its sources."""
