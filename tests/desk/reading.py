"""Reading our own pages: the words of an element, the fields of a form."""

import re

from lxml import html

_STEP = re.compile(r"(?P<tag>\w*)(?:\.(?P<kind>[\w-]+))?(?:#(?P<id>[\w-]+))?(?:\[(?P<has>[\w-]+)\])?")


def text_of(page: str, selector: str) -> list[str]:
    """The words of every element that a selector such as `li.slip` or `nav.side [aria-current]` finds."""
    found = html.fromstring(page).xpath("".join(_step(part) for part in selector.split()))
    return [" ".join(" ".join(element.itertext()).split()) for element in found]


def values_of(page: str, name: str) -> list[str]:
    """The values of every field with this name."""
    fields = html.fromstring(page).xpath(f'//*[@name="{name}"]')
    return [
        (field.text or "").removeprefix("\n") if field.tag == "textarea" else field.get("value", "") for field in fields
    ]


def numbers_in(page: str) -> list[int]:
    """The numbers of the tickets in the page's list, in order."""
    return [int(n) for n in re.findall(r'class="row-subject" href="/desk/tickets/(\d+)', page)]


def _step(part: str) -> str:
    step = _STEP.fullmatch(part)
    assert step is not None, part
    path = f"//{step['tag'] or '*'}"
    if step["kind"]:
        path += f"[contains(concat(' ', normalize-space(@class), ' '), ' {step['kind']} ')]"
    path += f"[@id='{step['id']}']" if step["id"] else ""
    return path + (f"[@{step['has']}]" if step["has"] else "")
