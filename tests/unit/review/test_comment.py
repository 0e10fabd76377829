"""The comment: found again by its mark, below GitHub's limit, and free of foreign markup."""

from __future__ import annotations

import re

import pytest

from review.comment import LIMIT, comment, mark
from review.events import Message
from review.preview import AccessChange, Finding, Preview
from review.steps import Kind, ResourceChange


def preview(**parts: object) -> Preview:
    empty: dict[str, object] = {
        "stack": "prod",
        "result": "succeeded",
        "changes": (),
        "access": (),
        "findings": (),
        "not_checked": (),
        "messages": (),
    }
    return Preview(**{**empty, **parts})  # type: ignore[arg-type]


def change(kind: Kind, name: str, *properties: str) -> ResourceChange:
    return ResourceChange(kind=kind, type="t", name=name, urn=f"u::{name}", properties=properties)


def test_the_mark_is_hidden_first_and_of_its_stack_alone() -> None:
    assert comment(preview()).startswith("<!-- strongroom-preview: prod -->\n")
    assert mark("prod") not in comment(preview(stack="prod2"))
    assert mark("a --> b").count("-->") == 1


def test_nothing_to_do_is_said() -> None:
    text = comment(preview())
    assert "Nothing changes." in text
    assert "Nobody gains or loses anything, as far as this preview knows." in text
    assert "No finding." in text
    assert "Messages" not in text


@pytest.mark.parametrize("kind", Kind)
def test_too_many_changes_are_cut_and_counted(kind: Kind) -> None:
    changes = tuple(change(kind, f"resource-number-{n:05}") for n in range(5_000))
    text = comment(preview(changes=changes))
    assert LIMIT * 0.9 < len(text) <= LIMIT
    shown = text.count("`resource-number-")
    assert f"**{5_000 - shown} of 5000 are not shown:**" in text
    assert f"5000 {kind}s" in text


def test_everything_too_long_at_once_still_fits_and_says_so_for_each() -> None:
    long = "x" * 5_000
    text = comment(
        preview(
            changes=tuple(change(k, f"{long}{n}") for k in Kind for n in range(200)),
            access=tuple(AccessChange(effect="gains", sentence=long) for _ in range(200)),
            findings=tuple(
                Finding(policy="p", level="mandatory", severity="low", resource="r", text=long)
                for _ in range(200)
            ),
            not_checked=(long,) * 200,
            messages=(Message(severity="error", text=long),) * 200,
        )
    )
    assert len(text) <= LIMIT
    cuts = re.findall(r"\*\*(\d+) of (\d+) are not shown", text)
    assert [total for _, total in cuts] == ["400", "200", "200", "200", "200", "200", "200", "200"]
    assert all(0 < int(cut) <= int(total) for cut, total in cuts)


def test_a_long_entry_is_cut_and_says_by_how_much() -> None:
    text = comment(preview(not_checked=("y" * 1_201,)))
    assert "y … (1 more characters)" in text
    many = tuple(f"property-{n}" for n in range(500))
    assert "`one`: 500 properties" in comment(preview(changes=(change(Kind.UPDATE, "one", *many),)))


def test_text_from_elsewhere_is_no_markup() -> None:
    evil = "<img src=x> @everyone `code` **bold** [link](x)\n### title --> ~~~ &#64;all $x$ of#12"
    text = comment(preview(not_checked=(evil,), changes=(change(Kind.CREATE, "`<b>`\n# x"),)))
    [note] = [line for line in text.splitlines() if "img src" in line]
    assert note.startswith("- ")
    assert re.findall(r"(?<!\\)[<>`*\[\]#~&$]", note) == []
    assert re.findall(r"[@#]\w", note) == []
    assert "`'<b>' # x`" in text
    assert "``" not in comment(preview(changes=(change(Kind.CREATE, "\n"),)))
