"""Writes the report as JUnit XML, which CI systems show as test results."""

from __future__ import annotations

from xml.etree import ElementTree

from ..terminal import visible
from .edits import Edit, group_by_edit, operations_in_short
from .report import Fault, Report
from .tree import group_by_owner
from .wording import fault_sentence, headline, locations, sentences


def write_junit(report: Report) -> str:
    """The report as JUnit XML: one test case for each edit, and one for each faulty waiver.

    A case fails if its edit has the severity in `Report.fail_on` or a worse one. Waived edits are
    skipped. Without any edit, one case passes, because some CI systems reject an empty file.
    """
    suite = ElementTree.Element("testsuite", name="specdrift")
    for group in group_by_owner(group_by_edit(report.shown)):
        for edit in group.edits:
            suite.append(_edit_case(group.heading, edit, report))
    for fault in report.faults:
        suite.append(_fault_case(fault))
    if len(suite) == 0:
        suite.append(_case("specdrift", headline(report)))
    for attribute, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite)))
    suite.set("errors", "0")
    if report.notes:
        notes = ElementTree.SubElement(suite, "system-out")
        notes.text = "\n".join(visible(note) for note in report.notes)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _edit_case(heading: str, edit: Edit, report: Report) -> ElementTree.Element:
    change = edit.change
    case = _case(heading, f"{change.id}: {change.text}")
    waiver = edit.entry.waiver
    if waiver is not None:
        ElementTree.SubElement(case, "skipped", message=visible(waiver.reason))
    elif report.is_failing(change.level):
        failure = ElementTree.SubElement(
            case, "failure", type=change.level, message=visible(change.text)
        )
        failure.text = "\n".join(_details(edit))
    return case


def _details(edit: Edit) -> list[str]:
    lines = [visible(sentence) for sentence in sentences(edit.entry)]
    lines += [f"{place.role}: {visible(str(place))}" for place in locations(edit.change)]
    if len(edit.operations) > 1:
        lines.append(f"in: {visible(operations_in_short(edit))}")
    return lines


def _fault_case(fault: Fault) -> ElementTree.Element:
    case = _case("Waivers", str(fault.waiver.source))
    ElementTree.SubElement(case, "failure", type="waiver", message=visible(fault_sentence(fault)))
    return case


def _case(class_name: str, name: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=visible(class_name), name=visible(name))
