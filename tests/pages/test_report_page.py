"""The page of `pynn-reproduce` in a browser: it renders, its links and toggles work, and it can be used by keyboard."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pynn_io.archive.container import Container
from pynn_io.archive.report.html import write_html
from pynn_io.archive.report.record import record_of, write_record
from pynn_io.archive.values import Cell, Check, Entry, Kind, Verdict
from pynn_io.report import Report
from pynn_io.results import Results
from pynn_io.results.results import sorted_spikes

pytestmark = pytest.mark.slow
#: A name that would end an element, if it were not escaped.
ODD = 'models/<script>alert(1)</script> & "co".xml'


#: What a SED-ML document asked for, and what ran.
RAN = {
    "algorithm": "KISAO:0000030",
    "algorithms": [
        {"of": "hh_psc_alpha", "name": "Fehlberg method", "kisao": "KISAO:0000086", "step": None, "parts": 1},
        {"of": "membranes", "name": "Runge-Kutta", "kisao": "", "step": 0.1, "parts": 4},
    ],
}


def spikes(*times):
    return Results(
        spikes={"cells": sorted_spikes("cells", np.zeros(len(times), np.int64), np.array(times, dtype=float))}
    )


def network(seed):
    """20 cells that fire at random: enough for distributions."""
    rng = np.random.default_rng(seed)
    found = sorted_spikes("cells", np.repeat(np.arange(20), 10), rng.uniform(0, 1000, 200))
    return Results(spikes={"cells": found}, nodes={"cells": np.arange(20)}, duration=1000.0)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    fine = Check("spikes", Verdict.REPRODUCED, "", "1 ms", {"expected": 2, "found": 2, "dt_max_ms": 0.05}, True,
                 (spikes(10, 20), spikes(10, 20.05)))  # fmt: skip
    distances = [{"population": "cells", "measure": "rate", "unit": "Hz", "means": [10.0, 10.0], "ks": 0.1,
                  "ks_null_p95": 0.2, "emd": None, "emd_null_p95": 0.3}]  # fmt: skip
    means = [{"population": "cells", "measure": "rate", "unit": "Hz", "expected": 10.0, "found": 10.5, "spread": 0.25,
              "off": 1.5, "allowed": 3.5, "seen": 0.125}]  # fmt: skip
    statistics = {"ratio": 1.5, "ratio_null_p95": 1.8, "distances": distances, "means": means}
    numbers = {"statistics": statistics, "would_have_been_seen": ["a difference of 12 % in the mean rate"]}
    random = Check("network", Verdict.REPRODUCED, "", "1 ms", numbers, None,
                   (network(1), network(2)), tuple(network(seed) for seed in range(3, 8)))  # fmt: skip
    bad = Check("spikes", Verdict.DIFFERS, "they part at 20 ms", "1 ms", {"expected": 2, "found": 3}, False,
                (spikes(10, 20), spikes(10, 25, 30)))  # fmt: skip
    outcome = {"ran": True, "process": {"seconds": 1.5, "memory": 2**27, "status": 0, "stopped": ""},
               "inputs": {"a.xml": "0" * 64}, "provenance": {"simulator": "NEST", "timestep": 0.1, **RAN}}  # fmt: skip
    failed = {"ran": False, "error": {"kind": "RunError", "text": "no such cell & <model>", "exit_status": 7},
              "log": "the last line", "process": outcome["process"]}  # fmt: skip
    entries = [Entry(name, Path("a.xml"), Kind.LEMS, "its content") for name in ("LEMS_a.xml", ODD)]
    cells = [
        Cell(entries[0], "nest", Verdict.REPRODUCED, (fine, random), outcome, folder),
        Cell(entries[0], "neuron", Verdict.DIFFERS, (bad,), outcome, folder),
        Cell(entries[1], "nest", Verdict.REPRODUCED, (fine,), outcome, folder),
        Cell(entries[1], "neuron", Verdict.CANNOT_RUN, (), failed, folder),
    ]
    container = Container("folder", folder, folder / "model", ())
    report = Report()
    report.not_read("manifest-unlisted", "model", "The archive holds files that its manifest does not list.")
    record = record_of(container, cells, report, ["pynn-reproduce", "model"], datetime.now(UTC))
    write_html(record, cells, folder / "report.html")
    write_record(record, folder / "report.json")
    return folder / "report.html"


def find(driver, selector):
    return driver.find_elements("css selector", selector)


def test_it_needs_nothing_but_itself(page):
    text = page.read_text()
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", text)
    assert "@import" not in text and "url(" not in text


def test_the_matrix(page, show):
    driver = show(page)
    assert driver.title.startswith("model: differs")
    assert [each.text for each in find(driver, ".matrix thead th")] == ["simulation", "nest", "neuron"]
    rows = [[cell.text.split("\n")[0] for cell in row.find_elements("css selector", "th, td")]
            for row in find(driver, ".matrix tbody tr")]  # fmt: skip
    assert rows == [["LEMS_a.xml", "✓ reproduced", "✗ differs"], [ODD, "✓ reproduced", "! cannot run"]]
    assert "spikes within 0.05 ms" in find(driver, ".matrix td")[0].text


def test_a_cell_of_the_matrix_opens_what_is_behind_it(page, show):
    driver = show(page)
    link = find(driver, ".matrix a")[1]
    target = driver.find_element("id", link.get_attribute("hash")[1:])
    assert target.get_attribute("open") is None
    link.click()
    assert target.get_attribute("open") is not None
    assert "they part at 20 ms" in target.text
    picture = target.find_element("css selector", "img")
    assert driver.execute_script("return arguments[0].complete && arguments[0].naturalWidth > 300", picture)
    assert picture.get_attribute("alt")


def test_distributions_stand_beside_the_raster_where_there_are_enough_spikes(page, show):
    driver = show(page, "#cell-0")
    captions = [each.text for each in find(driver, "#cell-0 figcaption")]
    assert [each.split(" published")[0] for each in captions] == [
        "spikes: spikes",
        "network: spikes",
        "network: distributions",
    ]
    pictures = find(driver, "#cell-0 figure img")
    assert all(driver.execute_script("return arguments[0].naturalWidth > 300", each) for each in pictures)
    tables = []
    for numbers in find(driver, "#cell-0 details")[:2]:
        numbers.find_element("tag name", "summary").click()
        tables += [row.text for row in numbers.find_elements("css selector", "tbody tr")]
    assert tables == ["cells rate (Hz) 10 10.5 0.25 1.5 3.5 12.5", "cells rate (Hz) 10 10 0.1 0.2 0.3"]
    assert "would have seen: a difference of 12 % in the mean rate." in driver.find_element("id", "cell-0").text
    assert "1.5 times as far apart as seeds on average, 1.8 between seeds" in driver.find_element("id", "cell-0").text


def test_the_algorithm_that_ran_is_told_beside_the_one_that_was_asked_for(page, show):
    driver = show(page, "#cell-0")
    (how,) = [each for each in find(driver, "#cell-0 details") if each.text.startswith("how it ran")]
    how.find_element("tag name", "summary").click()
    assert "KISAO:0000030, and another one ran" in how.text
    assert "hh_psc_alpha: Fehlberg method (KISAO:0000086)" in how.text
    assert "membranes: Runge-Kutta, every 0.1 ms in 4 parts" in how.text
    record = json.loads((page.parent / "report.json").read_text())
    algorithms = [cell["algorithm"] for cell in record["cells"]]
    assert [each["as_asked"] for each in algorithms] == [False, False, False, None]


def test_a_link_from_elsewhere_opens_it_too(page, show):
    driver = show(page, "#cell-3")
    assert driver.find_element("id", "cell-3").get_attribute("open") is not None
    assert "no such cell & <model>" in driver.find_element("id", "cell-3").text


def test_the_toggles(page, show):
    driver = show(page)
    details = find(driver, "details.cell")
    driver.find_element("id", "open-all").click()
    assert all(each.get_attribute("open") is not None for each in details)
    driver.find_element("id", "close-all").click()
    assert all(each.get_attribute("open") is None for each in details)
    driver.find_element("id", "only-open").click()
    assert [each.is_displayed() for each in details] == [False, True, False, True]
    driver.find_element("id", "only-open").click()
    assert all(each.is_displayed() for each in details)


def test_the_keyboard_reaches_everything(page, show):
    from selenium.webdriver.common.keys import Keys

    driver = show(page)
    seen = []
    for _ in range(12):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        seen.append(driver.switch_to.active_element.tag_name)
    assert seen == ["a"] * 4 + ["input"] + ["button"] * 2 + ["summary"] * 4 + [seen[-1]]
    driver.find_elements("css selector", "details.cell > summary")[0].send_keys(Keys.ENTER)
    assert find(driver, "details.cell")[0].get_attribute("open") is not None


def test_it_prints_with_everything_open(page, show):
    driver = show(page)
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert all(each.get_attribute("open") is not None for each in find(driver, "details"))
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert all(each.get_attribute("open") is None for each in find(driver, "details.cell"))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not find(driver, ".tools")[0].is_displayed()
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_it_fits_a_narrow_screen(page, show):
    driver = show(page)
    driver.set_window_size(500, 900)
    width, inner = driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    driver.set_window_size(1280, 1000)
    assert width <= inner
