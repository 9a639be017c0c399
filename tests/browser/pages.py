"""Every page of the console: found by its routes, and looked at for what keeps people out.

The routes are read from the source, so that a page that is added is looked at too; an example of each is found by following
links. On each page: axe without a serious violation, in the light and the dark scheme; nothing wider than its window, at 1280
and at 390 pixels; and everything reached with the Tab key alone, in a round that ends, with a focus that is seen.
"""

import importlib.util
import pathlib
import re

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

ROUTES = pathlib.Path(__file__).parents[2] / "host/http/src/console/routes.rs"
# How long a part that comes after its page may take, in seconds, and how long axe may look at one on a busy machine.
PATIENCE = 30
AXE_PATIENCE = 180

# Notes where the focus goes, and whether that is seen.
FOLLOW_FOCUS = """
window.focused = [];
document.addEventListener("focusin", (event) => {
  const style = getComputedStyle(event.target);
  const isSeen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  window.focused.push([event.target, isSeen || event.target.id === "main"]);
});
"""
# What can be used on the page: of radio buttons one of each group, which is where the key leads.
CONTROLS = """
const isShown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length > 0;
const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
window.controls = all.filter((one) => !one.disabled && one.type !== "hidden" && one.tabIndex >= 0 && isShown(one));
return window.controls.length;
"""
# What was not reached, and what was reached unseen.
MISSED = """
const text = (one) => one.outerHTML.slice(0, 140);
const reached = new Set(window.focused.map(([one]) => one));
const isGroupReached = (one) => one.type === "radio" &&
  [...reached].some((other) => other.type === "radio" && other.name === one.name && other.form === one.form);
const missed = window.controls.filter((one) => !reached.has(one) && !isGroupReached(one));
const unseen = window.focused.filter(([one, isSeen]) => !isSeen).map(([one]) => one);
return [missed.map(text), [...new Set(unseen)].map(text)];
"""


def routes():
    """The paths of the pages, as they are routed."""
    found = re.findall(r'\.page\(\s*"([^"]+)"', ROUTES.read_text())
    assert len(found) > 20, f"{ROUTES} has other words for pages now"
    return found


def is_at(path, route):
    pattern = re.sub(r"\\\{[^}]+\\\}", "[^/?]+", re.escape(route))
    return re.fullmatch(pattern + r"(\?.*)?", path) is not None


def find_all(driver, address):
    """An example of each page but that of signing in, found by following links; none may be missing."""
    missing = [route for route in routes() if route != "/sign-in"]
    examples, ahead = {}, ["/"]
    while ahead:
        path = ahead.pop(0)
        driver.get(address + path)
        assert not driver.find_elements(By.CSS_SELECTOR, "main > .problem[role='alert']"), f"{path} is no example"
        links = driver.execute_script("return [...document.querySelectorAll('a[href]')].map((link) => link.href)")
        for link in [address + path] + links:
            link = link.removeprefix(address)
            for route in [route for route in missing if is_at(link, route)]:
                missing.remove(route)
                examples[route] = link
                ahead.append(link)
    assert not missing, f"no link leads to {missing}"
    return list(examples.values())


def set_scheme(driver, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def open_whole(driver, address):
    """Opens a page, and waits for the parts that come after it."""
    driver.get(address)
    is_whole = "return [...document.querySelectorAll('[data-load]')].every((part) => !document.getElementById(part.dataset.instead))"
    WebDriverWait(driver, PATIENCE).until(lambda _: driver.execute_script(is_whole))


def axe_source():
    folder = importlib.util.find_spec("axe_playwright_python").submodule_search_locations[0]
    return (pathlib.Path(folder) / "axe.min.js").read_text()


def barriers_of(driver, source):
    """The serious violations that axe finds on the page, injected by the driver under the policy that ships."""
    driver.set_script_timeout(AXE_PATIENCE)
    driver.execute_script(source)
    found = driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    barriers = []
    for violation in found["violations"]:
        if violation["impact"] in ["serious", "critical"]:
            nodes = [node["html"][:120] + " " + str(node["any"][0]["data"] if node["any"] else "") for node in violation["nodes"][:3]]
            barriers.append(f"{violation['id']} ({violation['impact']}): {'; '.join(nodes)}")
    return barriers


def walk(driver):
    """Goes around the page with the Tab key: what it does not reach, and where its focus is not seen."""
    driver.execute_script(FOLLOW_FOCUS)
    count = driver.execute_script(CONTROLS)
    # A field of a date has more than one stop.
    for _ in range(2 * count // 20 + 3):
        ActionChains(driver).send_keys(Keys.TAB * 20).perform()
        if driver.execute_script("return window.focused.filter(([one]) => one === window.controls[0]).length > 1"):
            break
    else:
        return [f"the Tab key does not come around {count} controls"]
    missed, unseen = driver.execute_script(MISSED)
    return [f"not reached: {one}" for one in missed] + [f"focused unseen: {one}" for one in unseen]


def look(driver, address, paths, width, scheme="light", with_keyboard=False):
    """Looks at pages, and says everything that keeps people out of them."""
    source = axe_source()
    set_scheme(driver, scheme)
    barriers = []
    for path in paths:
        open_whole(driver, address + path)
        place = f"{path} at {width} pixels, {scheme}"
        wide = driver.execute_script("return document.scrollingElement.scrollWidth")
        if wide > width:
            barriers.append(f"{place}: {wide} pixels wide")
        barriers += [f"{place}: {barrier}" for barrier in barriers_of(driver, source)]
        if with_keyboard:
            open_whole(driver, address + path)
            barriers += [f"{place}: {barrier}" for barrier in walk(driver)]
    assert not barriers, "\n".join(barriers)
    keys = ", and by keyboard" if with_keyboard else ""
    print(f"no barriers on {len(paths)} pages at {width} pixels, {scheme}{keys}", flush=True)
