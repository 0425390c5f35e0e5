"""The page of `pynn-show --html` in a browser: the network in 3D, the tables, the run, and nothing from elsewhere."""

import json
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.graph import Network, Population
from pynn_io.graph.cells import PointCell
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.pipeline import read
from pynn_io.results import Results
from pynn_io.results.results import Trace, sorted_spikes
from pynn_io.show.page import write_page
from pynn_io.show.page_figures import CELLS
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
FIXTURES = ROOT / "fixtures"


def run_of(population, cells):
    times = np.linspace(1, 90, 3 * cells)
    data = np.sin(np.arange(200) / 20)[:, np.newaxis]
    trace = Trace("voltage", population, "v", "mV", data, np.array([0]), 0.0, 0.5)
    spikes = {population: sorted_spikes(population, np.arange(3 * cells) % cells, times)}
    return Results(spikes=spikes, traces=(trace,), nodes={population: np.arange(cells)}, duration=100.0)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """The fixture with cable cells, and a run of it that nobody made."""
    path = tmp_path_factory.mktemp("page") / "mixed.html"
    document = read(FIXTURES / "mixed/simulation_config.json")
    name = next(iter(document.network.populations))
    write_page(document, path, results=run_of(name, 10), title="mixed")
    return path


def figures_of(path):
    text = re.search(r'<script type="application/json" id="figures">(.*?)</script>', path.read_text(), re.DOTALL)
    return {each["id"]: each for each in json.loads(text[1])}


def test_it_needs_nothing_but_itself(mixed):
    text = mixed.read_text()
    head = text[: text.index("<script>")] + text[text.index("</head>") :]
    assert not re.search(r"""(src|href)=["'](?!#|data:)""", head)


def test_everything_is_drawn(mixed, show):
    driver = show(mixed)
    drawn = driver.find_elements("css selector", ".figure.js-plotly-plot")
    assert len(drawn) == len(figures_of(mixed))
    assert {"space", "degrees", "raster", "trace-0"} <= figures_of(mixed).keys()
    canvas = driver.find_element("css selector", "#space canvas")
    assert canvas.size["width"] > 300
    assert driver.find_element("tag name", "h1").text == "mixed"


def test_the_tables_say_what_the_document_holds(mixed, show):
    document = read(FIXTURES / "mixed/simulation_config.json")
    text = show(mixed).find_element("tag name", "main").text
    for population in document.network.populations.values():
        assert f"{population.name} {population.size}" in text
    for projection in document.network.projections.values():
        assert f"{projection.pre} → {projection.post} {projection.size}" in text


def test_models_are_found_by_their_names(mixed, show):
    driver = show(mixed)
    definitions = driver.find_elements("css selector", ".definition")
    field = driver.find_element("id", "filter")
    field.send_keys("exp2syn")
    shown = [each.text for each in definitions if each.is_displayed()]
    assert 0 < len(shown) < len(definitions)
    assert all("Exp2Syn" in each for each in shown)
    field.clear()


def test_the_losses_of_a_target(mixed, show):
    driver = show(mixed)
    (nest,) = [each for each in driver.find_elements("css selector", "details") if each.text.startswith("nest:")]
    nest.find_element("tag name", "summary").click()
    assert "NEST runs cells without extent" in nest.text


def test_morphologies_stand_where_their_cells_are_and_turned_as_they_are():
    from pynn_io.show.page_figures import space
    from pynn_io.show.plot import gather

    network = read(FIXTURES / "obi_net/circuit_config.json").network
    figure = space(network, gather(network))
    lines = [each for each in figure.data if each["mode"] == "lines"]
    population = next(iter(network.populations.values()))
    morphology = network.morphologies[lines[0]["name"]]
    from scipy.spatial.transform import Rotation

    from pynn_io.show.plot_morphology import centre

    quaternion = [float(population.column(f"orientation_{axis}").read(population.size)[0]) for axis in "xyzw"]
    place = [float(population.column(axis).read(population.size)[0]) for axis in "xyz"]
    wanted = Rotation.from_quat(quaternion).apply(morphology.proximal[:, :3] - centre(morphology)) + place
    first = np.array([lines[0][axis] for axis in "xyz"], dtype=float).T[0::3]
    assert np.allclose(first, wanted, rtol=1e-5, atol=1e-3)


def big(cells):
    rng = np.random.default_rng(1)
    position = {axis: Column(rng.uniform(0, 500, cells), unit="um") for axis in "xyz"}
    types = Table(1, {"cell": text_column(np.array(["cell"], dtype=object))})
    population = Population("many </script><b>", cells, types, table=Table(cells, position))
    return Document(Network("big", {population.name: population}, cells={"cell": PointCell("IF_cond_exp")}))


def test_more_cells_than_stay_fluid_are_sampled_and_the_page_says_so(tmp_path, show):
    path = tmp_path / "big.html"
    write_page(big(25_000), path)
    (trace,) = figures_of(path)["space"]["data"]
    assert len(trace["x"]) <= CELLS
    driver = show(path)
    assert "1 in 3 of 25,000 cells is drawn" in driver.find_element("id", "space-part").text
    # A name that would end the script element does not.
    assert "many </script><b>" in driver.find_element("tag name", "main").text


def drag(driver):
    """Press in the middle of the figure in space and move; `release` ends it."""
    from selenium.webdriver import ActionChains

    figure = driver.find_element("id", "space")
    driver.execute_script("arguments[0].scrollIntoView()", figure)
    chain = ActionChains(driver, duration=20).move_to_element_with_offset(figure, -100, 0).click_and_hold()
    for _ in range(20):
        chain.move_by_offset(4, 1)
    chain.perform()


def release(driver):
    from selenium.webdriver import ActionChains

    ActionChains(driver).release().perform()


def drawn(driver):
    """How many points each trace has."""
    count = "return document.getElementById('space').data.map(each => each.x.filter(value => value !== null).length)"
    return driver.execute_script(count)


def wait_until(driver, true):
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(driver, 60).until(true)


def eye(driver):
    camera = "return document.getElementById('space')._fullLayout.scene._scene.getCamera().eye"
    return list(driver.execute_script(camera).values())


def test_of_ten_thousand_cells_few_are_drawn_while_they_are_turned(tmp_path, show):
    """Chromium draws in software here, which takes 0.2 s for all of them."""
    path = tmp_path / "ten.html"
    write_page(big(CELLS), path)
    driver = show(path)
    before = eye(driver)
    drag(driver)
    wait_until(driver, lambda _: drawn(driver) == [1429])
    note = driver.find_element("css selector", "#space-part .turning")
    assert note.text == "While it is turned, 1 in 7 of these cells is drawn; all when it rests."
    release(driver)
    wait_until(driver, lambda _: drawn(driver) == [CELLS])
    assert np.abs(np.subtract(eye(driver), before)).max() > 0.05


def test_where_frames_are_slow_fewer_are_drawn_the_next_time(tmp_path, show):
    path = tmp_path / "thousand.html"
    write_page(big(1000), path)
    driver = show(path)
    driver.execute_script("""
        const real = window.requestAnimationFrame.bind(window);
        let clock = 0;
        window.requestAnimationFrame = (call) => real(() => call(clock += 60));
    """)
    drag(driver)
    assert drawn(driver) == [1000]
    release(driver)
    time.sleep(1.0)  # it rests after 0.2 s
    drag(driver)
    wait_until(driver, lambda _: drawn(driver) == [500])
    release(driver)
    wait_until(driver, lambda _: drawn(driver) == [1000])


def test_morphologies_are_thinned_as_well_and_whole_again(mixed, show):
    driver = show(mixed)
    driver.execute_script(
        "keepFluid(document.getElementById('space'), document.querySelector('#space-part .turning'), 12)"
    )
    whole = drawn(driver)
    drag(driver)
    wait_until(driver, lambda _: sum(drawn(driver)) < sum(whole))
    assert "of these segments is drawn" in driver.find_element("css selector", "#space-part .turning").text
    release(driver)
    wait_until(driver, lambda _: drawn(driver) == whole)


@pytest.mark.parametrize(
    ("cells", "segments", "budget", "wanted"),
    [
        (10_000, 0, "1500", {"cells": 7, "segments": 1}),
        (14, 10_000, "1500", {"cells": 1, "segments": 21}),
        (10_000, 10_000, "1500", {"cells": 10, "segments": 60}),
        (10_000, 10_000, "Infinity", {"cells": 1, "segments": 1}),
        (0, 0, "1500", {"cells": 1, "segments": 1}),
    ],
)
def test_how_many_are_left_out(mixed, show, cells, segments, budget, wanted):
    assert show(mixed).execute_script(f"return steps({cells}, {segments}, {budget})") == wanted


def test_axes_hold_everything_with_a_margin():
    from pynn_io.show.page_figures import space
    from pynn_io.show.plot import gather

    network = big(500).network
    scene = space(network, gather(network)).layout["scene"]
    low, high = scene["xaxis"]["range"]
    positions = next(iter(network.populations.values())).column("x").read(500)
    assert low < positions.min()
    assert positions.max() < high < positions.max() + 20


@pytest.mark.parametrize("flat", [(), ("z",), ("y", "z")])
def test_a_flat_network_is_drawn_in_its_proportions_and_inside_of_the_picture(flat):
    """Plotly's own proportions give a flat box the volume of a cube: it reached out of the picture."""
    from pynn_io.show.page_figures import space
    from pynn_io.show.plot import gather

    network = big(500).network
    (population,) = network.populations.values()
    table = population.table.updated({axis: Column(0.0, unit="um") for axis in flat})
    network = replace(network, populations={population.name: replace(population, table=table)})
    scene = space(network, gather(network)).layout["scene"]
    size = {name: np.ptp(scene[f"{name}axis"]["range"]) for name in "xyz"}
    drawn = scene["aspectratio"]
    assert np.ptp([drawn[name] / size[name] for name in "xyz"]) < 1e-9
    assert 1.5 < np.linalg.norm(list(drawn.values())) < 2.0


@pytest.mark.parametrize(("cells", "step"), [(4, 1), (200, None)])
def test_every_row_of_a_raster_is_seen_whole(cells, step):
    from pynn_io.show.page_figures import raster

    axis = raster(run_of("a", cells), None).layout["yaxis"]
    assert axis["range"] == [-0.5, cells - 0.5]
    assert axis.get("dtick") == step


def test_a_page_that_cannot_be_written(tmp_path):
    with pytest.raises(WriteError, match="the page cannot be written"):
        write_page(replace(big(3)), tmp_path / "nowhere" / "a.html")
