"""The report as JUnit XML, for test reporting: a test case for each rule, and for each outcome.

A mandatory finding fails, what was not checked or is waived is skipped with its reason, and an
advisory finding passes with its text.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from policies.check import Report
from policies.judge import Outcome, Status


def render(report: Report) -> str:
    """The report as one document."""
    suite = Xml.Element("testsuite", name=f"strongroom policies ({report.environment})")
    spoken_of = {outcome.rule.id for outcome in report.outcomes}
    for rule in report.rules:
        if rule.id not in spoken_of:
            Xml.SubElement(suite, "testcase", classname=rule.id, name=rule.title)
    for outcome in report.outcomes:
        _case(suite, outcome)
    for number, unread in enumerate(report.unread):
        case = Xml.SubElement(suite, "testcase", classname="read", name=f"{number} {unread.place}")
        kind = "error" if unread.broken else "skipped"
        Xml.SubElement(case, kind, message=f"{unread.place} {unread.reason}")
    for problem in report.waivers.problems:
        case = Xml.SubElement(suite, "testcase", classname="waivers", name=problem)
        Xml.SubElement(case, "failure", message=problem)
    for waiver in report.waivers.unused:
        case = Xml.SubElement(suite, "testcase", classname="waivers", name=str(waiver))
        Xml.SubElement(case, "system-out").text = f"{waiver} excuses nothing here"
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite)))
    suites = Xml.Element("testsuites")
    suites.append(suite)
    Xml.indent(suites)
    return Xml.tostring(suites, encoding="unicode", xml_declaration=True)


def _case(suite: Xml.Element, outcome: Outcome) -> None:
    name = f"{outcome.resource}: {outcome.evidence}"
    case = Xml.SubElement(suite, "testcase", classname=outcome.rule.id, name=name)
    if outcome.stops:
        Xml.SubElement(case, "failure", message=str(outcome), type=str(outcome.rule.severity))
    elif outcome.status is Status.BROKEN:
        Xml.SubElement(case, "system-out").text = f"ADVISORY: {outcome}"
    else:
        Xml.SubElement(case, "skipped", message=str(outcome))
