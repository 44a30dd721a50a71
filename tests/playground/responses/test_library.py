from __future__ import annotations

import pytest

from bot.playground.responses.library import HANDBOOK, Domains, Library, sections_of
from bot.playground.responses.words import stem, terms

TEXT = """# Cats

Cats sleep. They
purr.

## Feeding a cat

Feed cats twice.

Not more often.

## Empty
"""


def test_document_is_cut_at_its_headings() -> None:
    sections = sections_of(TEXT, "https://a.example/cats")

    found = [(section.title, section.heading, section.paragraphs) for section in sections]
    assert found == [
        ("Cats", "Cats", ("Cats sleep. They purr.",)),
        ("Cats", "Feeding a cat", ("Feed cats twice.", "Not more often.")),
    ]


@pytest.mark.parametrize(
    "forms",
    [
        ("schedule", "schedules", "scheduled", "scheduling"),
        ("reply", "replies", "replied"),
        ("run", "runs", "running"),
        ("citation", "citations", "cite", "cited"),
        ("week", "weeks", "weekly"),
        ("install", "installs", "installed", "installing"),
    ],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


def test_words_that_tell_nothing_are_left_out() -> None:
    assert terms("How do I ask it?") == ["ask"]


def library() -> Library:
    return Library(
        [
            *sections_of("# Dogs\n\nDogs bark and sleep.", "https://a.example/dogs"),
            *sections_of("# Cats\n\nCats purr and sleep.", "https://b.example/cats"),
            *sections_of("# Fish\n\nFish swim and sleep.", "https://b.example/fish"),
        ]
    )


def urls(asked: str, domains: Domains | None = None) -> list[str]:
    return [hit.section.url for hit in library().search(terms(asked), domains)]


def test_rare_word_weighs_more_than_a_common_one() -> None:
    assert urls("sleeping cats")[0] == "https://b.example/cats"
    assert len(urls("sleeping cats")) == 3


def test_unknown_words_find_nothing() -> None:
    assert urls("quantum gravity") == []


def test_search_of_nothing_finds_nothing() -> None:
    assert urls("") == []


def test_coverage_tells_how_much_of_a_question_is_met() -> None:
    (hit,) = library().search(terms("purring helicopters"))

    assert 0 < hit.covered < 1


def test_search_keeps_to_the_domains_it_is_given() -> None:
    assert urls("sleep", Domains(allowed=("a.example",))) == ["https://a.example/dogs"]
    assert "https://a.example/dogs" not in urls("sleep", Domains(blocked=("a.example",)))
    assert urls("sleep", Domains(allowed=("example",), blocked=("b.example",))) == [
        "https://a.example/dogs"
    ]
    assert urls("sleep", Domains(allowed=("le",))) == []


def test_shipped_library_is_a_handbook_of_titled_documents() -> None:
    sections = Library.shipped().sections

    assert len({section.url for section in sections}) == 11
    assert all(section.url.startswith(HANDBOOK) and section.title for section in sections)
    assert len({section.title for section in sections}) == 11


NEWCOMER = [
    ("What is Footnote?", "about"),
    ("what can you do", "about"),
    ("Who writes the answers?", "about"),
    ("How do I ask a question?", "asking"),
    ("Can I ask in a direct message?", "asking"),
    ("How does /ask work?", "asking"),
    ("How do I get help?", "asking"),
    ("How do I follow up?", "follow-ups"),
    ("Do I have to mention the bot in every reply?", "follow-ups"),
    ("Does it remember earlier questions?", "follow-ups"),
    ("What does the [1] mean?", "citations"),
    ("How do citations work?", "citations"),
    ("Where do I see the sources?", "citations"),
    ("Why is a link not clickable?", "citations"),
    ("How do I schedule a digest?", "digests"),
    ("Can I get a weekly summary of #general?", "digests"),
    ("/digest", "digests"),
    ("Which environment variables do I have to set?", "settings"),
    ("How do I change the model?", "settings"),
    ("Which database does it use?", "settings"),
    ("Can I limit the search to some domains?", "settings"),
    ("What is Socket Mode?", "connecting"),
    ("Do I need a public URL?", "connecting"),
    ("How do I install the app?", "connecting"),
    ("Where is my data stored?", "privacy"),
    ("Who can read my questions?", "privacy"),
    ("Can it ping people?", "privacy"),
    ("How much does an answer cost?", "limits"),
    ("How long does it take?", "limits"),
    ("Does it work in Chinese?", "limits"),
    ("What if an answer is too long for Slack?", "limits"),
    ("The bot does not answer, what can I do?", "troubleshooting"),
    ("I get an error about my quota", "troubleshooting"),
    ("It says model not found", "troubleshooting"),
    ("How do I try it without an API key?", "playground"),
    ("What does make demo do?", "playground"),
    ("How do I run the tests?", "playground"),
]


@pytest.mark.parametrize(("question", "document"), NEWCOMER)
def test_question_of_a_newcomer_finds_the_right_document(question: str, document: str) -> None:
    found = Library.shipped().search(terms(question) or terms("footnote"))

    assert found[0].section.url == HANDBOOK + document
