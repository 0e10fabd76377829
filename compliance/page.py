"""A report as one self-contained HTML page: counts, filter, every control with its evidence.

Owns the page and proves nothing. Everything that comes from outside is escaped; the page loads
nothing, and its content security policy allows no script or style but its own. It reads without
scripts, in light and dark, and prints.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from compliance.model import Evidence, Framework, Report, Result, Side, State, Waived, counts

_TEMPLATE = Path(__file__).with_name("page.html")
# A word, a sign and a colour: nobody has to tell red from green.
_SIGNS = {
    State.FAILED: ("✕", "failed"),
    State.NOT_CHECKED: ("?", "unknown"),
    State.WAIVED: ("◐", "waived"),
    State.PASSED: ("✓", "passed"),
    State.NOT_APPLICABLE: ("–", "absent"),
}


def page(report: Report, *, opened: bool = False) -> str:
    """The page as HTML. `opened` shows all evidence, for printing."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    return Template(text).substitute(
        style_hash=_hash("style", text),
        script_hash=_hash("script", text),
        title=escape(report.title),
        environment=escape(report.environment),
        made=f"{report.made:%Y-%m-%d %H:%M} UTC",
        verdict=_verdict(report),
        tiles="".join(_tile(framework, results) for framework, results in report.results),
        choices="".join(_choice(state, counts(report.all)[state]) for state in State),
        frameworks="".join(_framework(f, results, opened) for f, results in report.results),
        waivers=_waivers(report),
    )


def _verdict(report: Report) -> str:
    number = counts(report.all)
    failed, unknown = number[State.FAILED], number[State.NOT_CHECKED]
    return (
        f'<b class="failed">{failed} of {len(report.all)} controls failed</b>, '
        f'<b class="unknown">{unknown} are not checked in full</b>, '
        f"{number[State.PASSED]} passed."
    )


def _tile(framework: Framework, results: tuple[Result, ...]) -> str:
    number = {state: n for state in State if (n := counts(results)[state])}
    bar = "".join(
        f'<rect class="{_SIGNS[state][1]}" x="{x:.2f}" width="{width:.2f}" height="10"/>'
        for state, x, width in _segments(number, len(results))
    )
    told = ", ".join(f"{n} {state}" for state, n in number.items())
    return (
        f'<a class="tile" href="#{escape(framework.id)}"><b>{escape(framework.name)}</b>'
        f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(told)}">{bar}</svg><span>{escape(told)}</span></a>'
    )


def _segments(number: dict[State, int], whole: int) -> Iterable[tuple[State, float, float]]:
    x = 0.0
    for state, n in number.items():
        width = 100 * n / whole
        yield state, x, width
        x += width


def _choice(state: State, number: int) -> str:
    return (
        f'<label class="choice"><input type="checkbox" value="{_SIGNS[state][1]}" checked> '
        f"{_pill(state)} {number}</label>"
    )


def _pill(state: State) -> str:
    sign, name = _SIGNS[state]
    return f'<span class="pill {name}"><i aria-hidden="true">{sign}</i> {state.value}</span>'


def _framework(framework: Framework, results: tuple[Result, ...], opened: bool) -> str:
    rows = "".join(_row(result, opened) for result in results)
    return (
        f'<section id="{escape(framework.id)}"><h2>{escape(framework.name)}</h2>'
        f"<p>{escape(framework.edition)}. {escape(framework.scope)}</p>"
        '<div class="sheet"><table><thead><tr><th scope="col">Control</th>'
        '<th scope="col">What must hold</th><th scope="col">Preview</th>'
        f'<th scope="col">Live</th></tr></thead><tbody>{rows}</tbody></table></div></section>'
    )


def _row(result: Result, opened: bool) -> str:
    control = result.control
    return (
        f'<tr data-state="{_SIGNS[result.state][1]}"><th scope="row">{escape(control.id)}</th>'
        f"<td><details{' open' if opened else ''}><summary>{escape(control.title)}</summary>"
        f"{_proofs(result)}</details></td>"
        f"<td>{_pill(result.preview.state)}</td><td>{_pill(result.live.state)}</td></tr>"
    )


def _proofs(result: Result) -> str:
    if result.control.why:
        return f'<p class="why">{escape(result.control.why)}</p>'
    return _side("Preview", result.preview) + _side("Live", result.live)


def _side(name: str, side: Side) -> str:
    return f"<h4>{name}</h4><ul>{''.join(map(_evidence, side.evidence))}</ul>"


def _evidence(evidence: Evidence) -> str:
    sign, name = _SIGNS[evidence.state]
    proof = f" <small>{escape(evidence.proof)}</small>" if evidence.proof else ""
    fix = f'<em class="fix">Fix: {escape(evidence.fix)}</em>' if evidence.fix else ""
    places = " ".join(map(_place, evidence.where))
    where = f'<div class="where">{places}</div>' if places else ""
    return (
        f'<li class="{name}"><i aria-label="{evidence.state.value}">{sign}</i>'
        f"<div>{escape(evidence.said)}{proof}{fix}{where}</div></li>"
    )


def _place(where: str) -> str:
    """A place; of a URN the type and the name, the whole of it as its title and in the JSON."""
    if not where.startswith("urn:pulumi:"):
        return f"<code>{escape(where)}</code>"
    types, _, name = where.partition("::")[2].partition("::")[2].partition("::")
    short = f"{types.rpartition('$')[2].rpartition(':')[2]} {name}"
    return f'<code title="{escape(where)}">{escape(short)}</code>'


def _waivers(report: Report) -> str:
    problems = "".join(f"<li>{escape(p)}. It excuses nothing.</li>" for p in report.problems)
    rows = "".join(map(_waiver, report.waivers))
    table = (
        '<div class="sheet"><table><thead><tr><th scope="col">Rule</th><th scope="col">For</th>'
        '<th scope="col">Owner</th><th scope="col">Until</th><th scope="col">Reason</th>'
        f'<th scope="col">Standing</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    return (table if rows else "<p>None.</p>") + (f"<ul>{problems}</ul>" if problems else "")


def _waiver(waived: Waived) -> str:
    cells = (waived.rule, waived.urn, waived.owner, waived.expires, waived.reason, waived.standing)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _hash(tag: str, text: str) -> str:
    """What the content security policy calls the page's own block of that kind."""
    content = text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
