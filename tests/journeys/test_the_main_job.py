"""The main job as people do it: form, triage, reply, the reader's mail comes back, close; with script and without."""

import re
from email.message import EmailMessage
from email.utils import make_msgid

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cast import PASSWORD, RUTH
from tests.journeys.conftest import Desk, wait_until
from tests.servers.smtp import CaughtMail

QUESTION = "Thank you, Ruth.\n\nWhich plaque do you mean?"
ANSWER = "The one at the north end. A photo is attached."
PICTURE = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_from_the_form_to_the_answer_and_back_and_closed(
    desk: Desk, browser: Browser, crowd: int, *, script: bool
) -> None:
    ruth, ann = (browser.new_context(java_script_enabled=script).new_page() for _ in range(2))
    status_page = ruth_writes(ruth, desk)
    somebody_writes_later(desk, browser)
    ann_finds_it_first_and_asks(ann, desk)
    reply = desk.wait_for_mail("The bridge opened in 1932")
    the_mail_has_the_right_headers(reply, desk)
    desk.mailbox.deliver(answer_to(reply))
    the_answer_is_in_the_same_ticket(ann, desk)
    ann_answers_and_closes(ann)
    ruth.goto(status_page)
    expect(ruth.locator("main")).to_contain_text("closed")
    expect(ruth.locator("main")).to_contain_text("We have corrected it")
    assert len(desk.front.served) == crowd
    ruth.context.close()
    ann.context.close()


def ruth_writes(page: Page, desk: Desk) -> str:
    """From the article to the thanks page, with a mistake on the way; returns the address of her status page."""
    page.goto(desk.article_url)
    page.get_by_role("link", name="Contact us").click()
    expect(page.locator("main")).to_contain_text("/bridge/")
    page.get_by_label("A mistake in the text").check()
    page.get_by_label("Your email address").fill("ruth at example")
    page.get_by_label("Your message").or_(page.get_by_label("What is wrong")).first.fill(
        "The bridge opened in 1932, not 1923."
    )
    page.get_by_label("Your name").fill("Ruth Reed")
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_role("link", name="Enter an email address like name@example.org")).to_be_visible()
    expect(page.locator("textarea").first).to_have_value("The bridge opened in 1932, not 1923.")
    page.get_by_label("Your email address").fill(RUTH)
    page.wait_for_timeout(3100)  # nobody fills a form in less than three seconds
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/thanks")
    expect(page.locator("main")).to_contain_text(re.compile(r"(#|number )1\b"))
    return page.url.removesuffix("/thanks")


def somebody_writes_later(desk: Desk, browser: Browser) -> None:
    """Another reader, about no article; he waits for a shorter time than Ruth."""
    page = browser.new_context().new_page()
    page.goto(desk.url + "/contact")
    page.get_by_label("A question").check()
    page.get_by_label("Your message").first.fill("Where do I find the old maps?")
    page.get_by_label("Your name").fill("Paul Pender")
    page.get_by_label("Your email address").fill("paul@example.com")
    page.wait_for_timeout(3100)  # nobody fills a form in less than three seconds
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/thanks")
    page.context.close()


def ann_finds_it_first_and_asks(page: Page, desk: Desk) -> None:
    """She signs in, sees it first in Unassigned with its article, takes it, asks and waits."""
    page.goto(desk.url + "/desk/")
    page.get_by_label("Email").fill("ann@example.org")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    rows = page.locator("main ol.rows > li")
    expect(rows).to_contain_text(["Ruth Reed", "Paul Pender"])
    row = rows.first
    expect(row).to_contain_text("bridge")
    row.locator('a[href*="/desk/tickets/"]').first.click()
    page.get_by_role("button", name="Take").click()
    expect(page.get_by_text("The ticket is yours.")).to_be_visible()
    reply_form(page).locator("textarea").fill(QUESTION)
    reply_form(page).get_by_role("button", name="Send and wait").click()
    expect(page.locator("main")).to_contain_text("Which plaque do you mean?")


def the_mail_has_the_right_headers(mail: CaughtMail, desk: Desk) -> None:
    """From the queue, back to the ticket, quoting what she wrote, in two forms."""
    headers = mail.parsed
    assert (headers["From"], headers["To"]) == ("The Tidewater Post <support@example.org>", RUTH)
    assert re.fullmatch(r"support\+[a-z2-7]{30,}@example\.org", str(headers["Reply-To"]))
    assert re.fullmatch(r"<[a-z2-7]{40,}@example\.org>", str(headers["Message-ID"]))
    assert mail.envelope_from == headers["Reply-To"]
    text = headers.get_body(("plain",)).get_content()
    assert "Which plaque do you mean?" in text
    assert "> The bridge opened in 1932, not 1923." in text
    assert desk.article_url.rstrip("/") in text


def answer_to(mail: CaughtMail) -> bytes:
    """What Ruth's mail program sends: her words above the quote, with a picture."""
    asked, answer = mail.parsed, EmailMessage()
    answer["From"], answer["To"] = f"Ruth Reed <{RUTH}>", asked["Reply-To"]
    answer["Subject"], answer["Message-ID"] = f"Re: {asked['Subject']}", make_msgid(domain="example.com")
    answer["In-Reply-To"] = answer["References"] = asked["Message-ID"]
    quote = "\n".join(f"> {line}" for line in asked.get_body(("plain",)).get_content().splitlines())
    answer.set_content(
        f"{ANSWER}\n\nOn 23 Nov 2026, at 09:40, The Tidewater Post <support@example.org> wrote:\n{quote}\n"
    )
    answer.add_attachment(PICTURE, maintype="image", subtype="png", filename="plaque.png")
    return answer.as_bytes()


def the_answer_is_in_the_same_ticket(page: Page, desk: Desk) -> None:
    """It came by IMAP: same ticket, quote folded, file there to download, ticket open again."""
    wait_until(lambda: page.reload() and page.get_by_text(ANSWER).count())
    assert page.url.startswith(desk.url + "/desk/tickets/1")
    message = page.locator("article").filter(has_text=ANSWER).last
    expect(message.locator("details").first).not_to_have_attribute("open", "")
    expect(message.get_by_text(ANSWER)).to_be_visible()
    assert not message.get_by_text("> Thank you, Ruth.").first.is_visible()
    with page.expect_download() as download:
        message.get_by_role("link", name="plaque.png").click()
    assert download.value.path().read_bytes() == PICTURE
    page.goto(desk.url + "/desk/open")
    expect(page.locator("main")).to_contain_text("Ruth Reed")
    page.goto(desk.url + "/desk/tickets/1")


def ann_answers_and_closes(page: Page) -> None:
    """One more reply, and it is done."""
    reply_form(page).locator("textarea").fill("Now I see it. We have corrected it.")
    reply_form(page).get_by_role("button", name="Send and close").click()
    page.goto(page.url.split("/desk/")[0] + "/desk/tickets/1")
    expect(page.locator("main")).to_contain_text("closed it: answered")


def reply_form(page: Page) -> "Page":
    """Where Ann writes to the reader."""
    return page.locator('form[action*="/reply"]')  # type: ignore[return-value]


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("crowd", [1], indirect=True)
def test_an_address_of_eight_thousand_letters_still_gets_the_form(desk: Desk, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{desk.url}/contact?url=https://blog.example.org/{'x' * 8000}")
    expect(page.get_by_label("A mistake in the text")).to_be_visible()
    page.close()
