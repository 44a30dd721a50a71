"""The whole bot as a newcomer meets it: in a browser, on the page of the local Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.playground.browser import Browser, open_page
from tests.playground.test_browser import CHANNEL, THREAD
from tests.stage import open_stage

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver.remote.webdriver import WebDriver

ANSWERS = f"{THREAD} .below"


async def press(browser: Browser, where: str, label: str) -> None:
    """Press a button by what stands on it, in one go: the page may draw it anew at any time."""

    def pressed(driver: WebDriver) -> bool:
        buttons = driver.find_elements(By.CSS_SELECTOR, f"{where} button")
        found = [button for button in buttons if button.text == label]
        if found:
            found[0].click()
        return bool(found)

    await browser.until(pressed, label)


async def test_a_newcomer_asks_on_the_page_reads_the_sources_and_asks_on(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage, open_page(stage.slack.page_url) as browser:
        question = "How do I ask a question in a channel, and who sees the answer?"
        await browser.type(f"{CHANNEL} textarea", "@foot")
        await browser.type(f"{CHANNEL} textarea", Keys.ENTER, question, Keys.ENTER)
        await browser.until_text(ANSWERS, "Written by a language model")
        await browser.until_text(f"{THREAD} .plan", "Researched with 1 search")
        links = await browser.do(
            lambda driver: [
                (link.text, link.get_attribute("href"))
                for link in driver.find_elements(By.CSS_SELECTOR, f"{THREAD} .markdown a")
            ]
        )
        await browser.screenshot("answered-thread")
        await browser.type(f"{THREAD} textarea", "And in a direct message?", Keys.ENTER)
        await browser.until(lambda driver: len(driver.find_elements(By.CSS_SELECTOR, ANSWERS)) == 2)
        await stage.responses.until(lambda: len(stage.responses.creates) == 2)
        complaints = await browser.complaints()

    numbers = {text for text, _ in links}
    assert numbers <= {"1", "2", "3", "4"}
    assert "1" in numbers
    assert all(href and href.startswith("https://footnote.example/handbook/") for _, href in links)
    assert stage.responses.creates[1]["previous_response_id"]
    assert complaints == []


async def test_research_is_watched_and_its_report_read_on_the_page(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage, open_page(stage.slack.page_url) as browser:
        stage.responses.stall_after(14, background=True)
        asked = "research: How do I read the sources of an answer, and how are digests made?"
        await browser.type(f"{CHANNEL} textarea", "@foot")
        await browser.type(f"{CHANNEL} textarea", Keys.ENTER, asked, Keys.ENTER)
        await browser.until_text(THREAD, "Researching · 1 search")
        await browser.until_text(THREAD, "Stop")
        await browser.screenshot("research-plan")
        stage.responses.resume()
        await browser.until_text(THREAD, "your report is ready.")
        await browser.until_text(THREAD, "Researched in")
        await browser.screenshot("research-report")
        await press(browser, THREAD, "Search trail")
        await browser.until_text(CHANNEL, "Search trail · ")
        await browser.screenshot("research-trail")
        complaints = await browser.complaints()

    assert complaints == []


async def test_what_is_open_is_asked_on_the_page_before_a_research(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage, open_page(stage.slack.page_url) as browser:
        await browser.type(f"{CHANNEL} textarea", "@foot")
        asked = "research: Which is best for our team?"
        await browser.type(f"{CHANNEL} textarea", Keys.ENTER, asked, Keys.ENTER)
        await browser.until_text(THREAD, "Before I start")
        await browser.screenshot("research-questions")
        await press(browser, THREAD, "Start without answering")
        await browser.until_text(THREAD, "your report is ready.")
        await press(browser, THREAD, "Show the brief")
        await browser.until_text(CHANNEL, "The brief")
        complaints = await browser.complaints()

    assert complaints == []


async def test_a_thread_is_digested_from_the_menu_of_a_message(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage, open_page(stage.slack.page_url) as browser:
        colleague = stage.slack.users["colleague"]
        root = await stage.slack.say(stage.you, stage.general, "When do we move billing?")
        await stage.slack.say(colleague, stage.general, "On Friday, that is decided.", root)
        await browser.point_at(f"{CHANNEL} .row")
        await browser.screenshot("message-menu")
        await press(browser, f"{CHANNEL} .over", "Digest this thread")
        await browser.until_text(CHANNEL, "comes to you as a direct message")
        await browser.click(f"[data-channel={stage.slack.dm(stage.you)}]")
        await browser.until_text(CHANNEL, "Digest of a thread")
        complaints = await browser.complaints()

    assert complaints == []


async def test_a_digest_is_had_asked_about_and_shared_on_the_page(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage, open_page(stage.slack.page_url) as browser:
        colleague = stage.slack.users["colleague"]
        root = await stage.slack.say(stage.you, stage.general, "When do we move billing?")
        for text in ("We decided to move billing on Friday.", "I will tell the customers."):
            await stage.slack.say(colleague, stage.general, text, root)
        await browser.type(f"{CHANNEL} textarea", "/digest 24h", Keys.ENTER)
        await browser.until_text(CHANNEL, "comes to you as a direct message")
        await browser.screenshot("digest-asked")
        await browser.click(f"[data-channel={stage.slack.dm(stage.you)}]")
        await browser.until_text(CHANNEL, "Digest, ")
        await browser.click(f"{CHANNEL} .replies")
        await browser.until_text(THREAD, "Decided")
        await browser.screenshot("digest")
        await browser.type(f"{THREAD} textarea", "tell me more about the first point", Keys.ENTER)
        await browser.until_text(ANSWERS, "Written by a language model")
        await press(browser, THREAD, "Share in the channel")
        await browser.until_text(CHANNEL, "The digest is shared.")
        complaints = await browser.complaints()

    general = stage.slack.workspace.channels[stage.general]
    assert any("Shared by You" in str(message.blocks) for message in general.messages.values())
    assert complaints == []


async def test_digests_are_scheduled_listed_and_deleted_on_the_page(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage, open_page(stage.slack.page_url) as browser:
        schedule = "/digest schedule weekdays 9:00 about prices"
        await browser.type(f"{CHANNEL} textarea", schedule, Keys.ENTER)
        await browser.until_text(CHANNEL, "Nothing is scheduled until you press Save")
        await browser.screenshot("digest-schedule")
        await press(browser, CHANNEL, "Save")
        await browser.until_text(CHANNEL, "Saved as number 1: every weekday at 09:00")
        await browser.type(f"{CHANNEL} textarea", "/digest list", Keys.ENTER)
        await browser.until_text(CHANNEL, "about prices, every weekday at 09:00")
        await browser.screenshot("digest-list")
        await press(browser, CHANNEL, "Pause")
        await browser.until_text(CHANNEL, "paused")
        await press(browser, CHANNEL, "Resume")
        await browser.until_text(CHANNEL, "Pause")
        await browser.click(f"[data-channel={stage.slack.dm(stage.you)}]")
        await browser.click("#tab-home")
        await browser.until_text("#home", "about prices, every weekday at 09:00")
        await browser.screenshot("digest-home")
        await press(browser, "#home", "Pause")
        await press(browser, "#home", "Resume")
        await press(browser, "#home", "Delete")
        await browser.do(lambda driver: driver.switch_to.alert.accept())
        await browser.until_text("#home", "You have no scheduled digests.")
        complaints = await browser.complaints()

    assert complaints == []
