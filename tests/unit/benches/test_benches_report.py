"""Bars and pictures of the benchmarks: what is held, what is missed, what is drawn."""

import json
from importlib import import_module
from xml.etree import ElementTree as ET

from benches import __main__ as every
from benches import bars, report, results
from benches.bars import Bar

FIGURES = {"ox/push": 4.0, "restic/push": 10.0}


def test_a_bar_is_held_up_to_its_most_and_an_under_below_it():
    at_most = Bar("files", "push", "ox/push", 0.4, "restic/push")
    under = Bar("files", "push", "ox/push", 4, under=True)
    assert at_most.judge(FIGURES)["held"]
    assert not under.judge(FIGURES)["held"]
    assert at_most.judge(FIGURES)["measured"] == 0.4


def test_what_was_not_measured_is_not_held():
    judged = Bar("files", "push", "ox/push", 0.4, "restic/push").judge({"ox/push": 1.0})
    assert (judged["measured"], judged["held"]) == (None, False)
    assert bars.rows([judged])[0][""] == "not measured"


def test_each_bar_belongs_to_a_benchmark_and_each_benchmark_has_a_main():
    assert {bar.case for bar in bars.BARS} <= set(every.NAMES)
    assert all(hasattr(import_module(f"benches.{name}"), "main") for name in every.NAMES)


def test_a_report_goes_between_its_lines_and_its_picture_is_xml(tmp_path):
    rows = [{"tool": "ox", "push": 4.0}, {"tool": "restic", "push": 10.0}]
    made = results.Report("files", "two & more", {"seconds": rows}, chart={"seconds": ["push"]})
    results_file, page = tmp_path / "results.json", tmp_path / "page.md"
    results_file.write_text(json.dumps({"files": made.document(3)}))
    page.write_text("before\n<!-- files -->\nold\n<!-- end of files -->\nafter\n")
    words = [str(results_file), "--document", str(page), "--pictures", str(tmp_path)]
    assert report.main(words) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| push to a path over restic copy | 0.4 | at most 0.4 | held |" in text
    drawn = ET.parse(tmp_path / "files.svg").getroot()
    said = [node.text for node in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "two & more" in said
    assert "0.4 of restic (held)" in said
