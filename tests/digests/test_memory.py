"""What a digest's thread remembers has the numbers that its readers see."""

from __future__ import annotations

from bot.digests.digest import Digest
from bot.digests.memory import recalled, remembered
from bot.digests.output import joined
from bot.digests.words import as_text
from tests.digests.readings import claim, message, topic

PARTS = [
    Digest(topics=(topic("Roof", claim("It leaks.", 1), actions=[claim("Call.", 2)]),)),
    Digest(topics=(topic("roof", claim("It rains.", 3), decisions=[claim("Mend it.", 4)]),)),
]


def test_what_is_behind_a_point_is_found_by_the_number_that_is_shown() -> None:
    digest, messages = joined(PARTS), [message(number) for number in range(1, 5)]
    said, points = recalled(remembered(digest, "Read 4 messages.", messages))

    assert said == f"{as_text(digest)}\n\nRead 4 messages."
    lines = [line for line in said.splitlines() if line[:1].isdigit()]
    assert lines == ["1. It leaks.", "2. It rains.", "3. Decided: Mend it.", "4. To do: Call."]
    assert [[behind.ts for behind in point] for point in points] == [
        [message(number).ts] for number in (1, 3, 4, 2)
    ]


def test_an_answer_that_is_no_digest_has_no_points() -> None:
    assert recalled("No digest: nobody may.") == ("No digest: nobody may.", [])
