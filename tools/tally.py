#!/usr/bin/env python3
"""Adds up JUnit files: `tally.py FILE...`. Lists what failed and what was skipped, with its reason, and ends with
`N passed, N failed, N skipped`. A file that is missing or holds no test counts as a failure. Exits 1 on any failure."""
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def reason(case):
    """Why a test was skipped: pytest has it as the message, GoogleTest in the line before [  SKIPPED ]."""
    said = re.findall(r"^(?:.*: )?Skipped\n(.+)$", case.findtext("system-out") or "", re.M)
    skipped = case.find("skipped")
    return said[-1].strip() if said else (skipped.get("message") if skipped is not None else "") or "no reason given"


def cases_of(path):
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        return [], f"{path.name}: {error}"
    return cases, None if cases else f"{path.name}: no test ran"


def main():
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for path in map(pathlib.Path, sys.argv[1:]):
        cases, wrong = cases_of(path)
        if wrong:
            count["failed"] += 1
            print(f"FAILED  {wrong}")
        for case in cases:
            name, result = case.get("name"), outcome(case)
            count[result] += 1
            if result == "failed":
                print(f"FAILED  {name}")
            if result == "skipped":
                print(f"SKIPPED {name}: {reason(case)}")
    print(", ".join(f"{number} {word}" for word, number in count.items()))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
