"""The picture of `demo --out` in a browser: it fits a phone, filters, folds and zooms by wheel, by a drawn range and by days."""

import pathlib
import subprocess
import tempfile

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from demo import Browser

WHEEL = """
const main = document.querySelector("main");
main.dispatchEvent(new WheelEvent("wheel", {
    deltaY: arguments[0], ctrlKey: arguments[1], clientX: innerWidth / 2, bubbles: true, cancelable: true,
}));
"""
DAY = """
const input = document.getElementById(arguments[0]);
input.value = arguments[1];
input.dispatchEvent(new Event("change"));
"""


def zoom(driver):
    """How many times wider than the whole the picture is."""
    return float(driver.execute_script('return document.documentElement.style.getPropertyValue("--zoom") || "1"'))


def shown_lanes(driver):
    return len([lane for lane in driver.find_elements(By.CSS_SELECTOR, ".lane") if lane.is_displayed()])


def press(driver, name):
    driver.find_element(By.ID, name).click()


def look_at(driver, address, width):
    driver.get(address)
    overflow = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"at {width} pixels the whole picture is {overflow} pixels wider than its window"
    assert zoom(driver) == 1

    driver.execute_script(WHEEL, -400, False)
    assert zoom(driver) == 1, "a wheel alone scrolls"
    driver.execute_script(WHEEL, -400, True)
    assert zoom(driver) > 2, "Ctrl and the wheel zoom in"
    driver.execute_script(WHEEL, 4_000, True)
    assert zoom(driver) == 1, "and out again, to the whole"

    axis = driver.find_element(By.CSS_SELECTOR, ".axis .chart")
    fifth = axis.rect["width"] // 5
    drag = ActionChains(driver).move_to_element(axis).click_and_hold().move_by_offset(fifth, 0).release()
    drag.perform()
    assert 2 < zoom(driver) < 20, f"a fifth that is drawn over the axis fills the window: {zoom(driver)}"
    press(driver, "whole")
    assert zoom(driver) == 1

    since = driver.execute_script('return document.getElementById("since").min')
    until = f"{since[:8]}{int(since[8:]) + 7:02}"
    driver.execute_script(DAY, "until", until)
    assert zoom(driver) > 10, "a week of the year fills the window"
    press(driver, "whole")

    whole = shown_lanes(driver)
    press(driver, "trouble")
    troubled = int(driver.find_element(By.CSS_SELECTOR, ".only .tally").text)
    assert 0 < shown_lanes(driver) == troubled < whole, f"{troubled} of {whole} lanes are in trouble"
    press(driver, "trouble")
    press(driver, "fold")
    assert shown_lanes(driver) == 0, "folded accounts show no lane"


def look(program):
    """Draws the year of the demo and looks at it as wide as a desk's window and as a phone's."""
    with tempfile.TemporaryDirectory(prefix="perennial-picture-") as folder:
        picture = pathlib.Path(folder) / "year.html"
        subprocess.run([program, "demo", "--out", picture], check=True, stdout=subprocess.DEVNULL)
        for width in [1280, 390]:
            with Browser(width=width) as driver:
                look_at(driver, picture.as_uri(), width)
                print(f"the picture of the year at {width} pixels", flush=True)
