"""One morning at the console, in a browser: at risk, why, pay, approve, check; in both languages, with script and without.

    python3 -m venv venv && venv/bin/pip install -r tests/browser/requirements.txt
    venv/bin/pip install --no-deps -r tests/browser/axe.txt
    cargo build --release -p perennial
    venv/bin/python tests/browser/console.py target/release/perennial

Takes Debian's packages `chromium` and `chromium-driver`. Pictures of the pages, and those of README as `console-*.png`, are
written to the folder that a second argument names.
"""

import pathlib
import sys

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from selenium.webdriver.support.ui import WebDriverWait

import pages
import picture
from demo import Browser
from demo import Demo

# How long something may take to appear, in seconds.
PATIENCE = 30
# How many keys a reader may need to get to something on a page.
STEPS_MAX = 700

POLICY = 'fn rule(plan) {\n    if plan.cause == "command" { return approve(); }\n    require_approval("looked at first")\n}\n'


def find(driver, selector):
    return driver.find_element(By.CSS_SELECTOR, selector)


def text(driver, selector="main"):
    return find(driver, selector).text


def wait(driver, condition, what):
    WebDriverWait(driver, PATIENCE).until(lambda _: condition(), message=what)


def submit(driver, button):
    """Presses a button that leads to another page, and waits for that."""
    before = find(driver, "html")
    press(driver, button)
    WebDriverWait(driver, PATIENCE).until(lambda _: is_gone(before), message="the form leads nowhere")


def is_gone(element):
    try:
        element.tag_name
        return False
    except Exception:  # The driver says it in more than one way.
        return True


def is_by_keyboard(driver):
    return getattr(driver, "is_by_keyboard", False)


def reach(driver, element):
    """Goes to an element with the key that does so, from wherever the reader is."""
    for _ in range(STEPS_MAX):
        if driver.switch_to.active_element == element:
            return
        ActionChains(driver).send_keys(Keys.TAB).perform()
    raise AssertionError(f"no key leads to {element.get_attribute('outerHTML')[:200]}")


def press(driver, element):
    """Chooses or presses an element: with the mouse, or with keys alone."""
    if not is_by_keyboard(driver):
        element.click()
        return
    kind = element.get_attribute("type")
    if kind == "radio":
        # A key leads to the chosen one of a group, and others to the rest of it.
        group = f"input[type='radio'][name='{element.get_attribute('name')}']"
        reach(driver, next(one for one in driver.find_elements(By.CSS_SELECTOR, group) if one.is_selected()))
        while not element.is_selected():
            ActionChains(driver).send_keys(Keys.ARROW_DOWN).perform()
        return
    reach(driver, element)
    ActionChains(driver).send_keys(Keys.SPACE if kind == "checkbox" else Keys.ENTER).perform()


def fill(form, **fields):
    driver = form.parent
    for name, value in fields.items():
        field = form.find_element(By.NAME, name)
        if is_by_keyboard(driver):
            reach(driver, field)
        if field.tag_name == "select" and is_by_keyboard(driver):
            options = [option.get_attribute("value") for option in Select(field).options]
            ActionChains(driver).send_keys(Keys.HOME).perform()
            for _ in range(options.index(value)):
                ActionChains(driver).send_keys(Keys.ARROW_DOWN).perform()
            assert field.get_attribute("value") == value, name
        elif field.tag_name == "select":
            Select(field).select_by_value(value)
        else:
            field.clear()
            field.send_keys(value)


def sign_in(driver, demo, name):
    driver.delete_all_cookies()
    driver.get(demo.address + "/")
    find(driver, "#token").send_keys(demo.tokens[name])
    submit(driver, find(driver, "form[action='/sign-in'] button"))
    assert find(driver, "h1").text in ["Today", "今日"], text(driver)


def amount(driver):
    return float(find(driver, "#facts .amount").text.replace(",", ""))


def play_morning(driver, demo):
    """At risk, why, pay, approve, check."""
    sign_in(driver, demo, "operator")
    risk = driver.find_elements(By.CSS_SELECTOR, "#at-risk tbody tr")
    assert risk, "nothing is at risk"
    name = risk[0].find_element(By.CSS_SELECTOR, "a").text
    driver.get(risk[0].find_element(By.CSS_SELECTOR, "a").get_attribute("href"))
    assert name in text(driver, "#why") and driver.find_elements(By.CSS_SELECTOR, "#lane svg rect")
    account = find(driver, "#facts a[href^='/accounts/']").get_attribute("href")
    renew = find(driver, "nav.commands a[href*='command=renew']").get_attribute("href")

    driver.get(account)
    before = amount(driver)
    form = find(driver, "form[action$='/top-up']")
    fill(form, amount="4000.00", reason="the morning's top-up")
    submit(driver, form.find_element(By.CSS_SELECTOR, "button"))
    assert round(amount(driver) - before, 2) == 4000.0

    form = find(driver, "form#settings")
    fill(form, approval_above="1.00")
    submit(driver, form.find_element(By.CSS_SELECTOR, "button"))

    driver.get(renew)
    fill(find(driver, "form.filter"), term="1 month")
    submit(driver, find(driver, "form.filter button"))
    assert "approval_above" in text(driver), text(driver)
    submit(driver, find(driver, "form.act button"))
    approval = find(driver, "main a[href^='/approvals/']").text

    sign_in(driver, demo, "approver")
    driver.get(demo.address + "/approvals")
    press(driver, find(driver, f"input[name='plan'][value$=' {approval}']"))
    submit(driver, find(driver, "#decide button[value='approve']"))
    assert approval not in text(driver, "#approvals"), text(driver)

    sign_in(driver, demo, "operator")
    driver.get(f"{demo.address}/resources/{name}")
    assert "renewal settled" in text(driver, "#events") or "已续费" in text(driver, "#events"), text(driver, "#events")
    return account.rsplit("/", 1)[1]


def run_job(driver, demo, account):
    """A job over a filter: dry first, and then its plans."""
    driver.get(f"{demo.address}/resources?account={account}&stage=active")
    form = find(driver, "form#job")
    press(driver, form.find_element(By.CSS_SELECTOR, "input[value='filter']"))
    fill(form, command="set_auto_renew", term="1 month")
    submit(driver, form.find_element(By.CSS_SELECTOR, "button"))
    dry_run = driver.current_url.split("?")[0]
    carry_out = reload_until(driver, dry_run, "form[action$='/carry-out'] button")
    submit(driver, carry_out)
    job = driver.current_url.split("?")[0]
    assert job != dry_run
    reload_until(driver, job, ".badge.good")


def reload_until(driver, address, selector):
    """What a reader without script does: loads the page until it has what it waits for."""
    for _ in range(PATIENCE):
        driver.get(address)
        found = driver.find_elements(By.CSS_SELECTOR, selector)
        if found:
            return found[0]
    raise AssertionError(f"{address} has no {selector}: {text(driver)}")


def edit_policy(driver, demo):
    """A policy with a mistake is shown with it, and holds as a shadow once it is right."""
    driver.get(demo.address + "/policies")
    form = find(driver, "form.editor")
    fill(form, source="fn rule(plan) {")
    submit(driver, form.find_element(By.CSS_SELECTOR, "button[value='check']"))
    assert "to terminate this block" in text(driver), text(driver)
    form = find(driver, "form.editor")
    assert form.find_element(By.NAME, "source").get_attribute("value") == "fn rule(plan) {"
    fill(form, source=POLICY)
    submit(driver, form.find_element(By.CSS_SELECTOR, "button[value='install']"))
    assert driver.find_elements(By.CSS_SELECTOR, ".done"), text(driver)
    driver.get(demo.address + "/policies/above-limit")
    assert "shadow" in find(driver, "textarea[name='file']").get_attribute("value")


def put_aside(driver, demo):
    """A warning is acknowledged, with the reason that somebody gives, and shown again."""
    driver.get(demo.address + "/")
    button = find(driver, "#at-risk button[name='acknowledge']")
    name = button.get_attribute("value")
    fill(find(driver, "form#warnings"), reason="seen this morning")
    submit(driver, button)
    assert not driver.find_elements(By.CSS_SELECTOR, f"#at-risk button[name='acknowledge'][value='{name}']")
    press(driver, find(driver, "#at-risk summary"))
    submit(driver, find(driver, f"#at-risk button[name='recall'][value='{name}']"))
    assert driver.find_elements(By.CSS_SELECTOR, f"#at-risk button[name='acknowledge'][value='{name}']")


def look_again(driver, demo, account):
    """What a reader without script does to follow events: loads the page again."""
    driver.get(f"{demo.address}/accounts/{account}")
    form = find(driver, "form[action$='/top-up']")
    fill(form, amount="12.34")
    submit(driver, form.find_element(By.CSS_SELECTOR, "button"))
    driver.get(demo.address + "/events")
    assert "12.34" in text(driver, "#events"), text(driver)


def change_language(driver, demo):
    driver.get(demo.address + "/renewals")
    title = find(driver, "h1").text
    form = find(driver, "form.preferences")
    language = "zh-CN" if title == "Renewals" else "en"
    fill(form, language=language, zone="provider")
    submit(driver, form.find_element(By.CSS_SELECTOR, "button"))
    assert find(driver, "h1").text == {"zh-CN": "续费", "en": "Renewals"}[language]
    assert "+08:00" in text(driver)


def follow_events(driver, demo, account):
    """A page that is open shows what somebody else does meanwhile."""
    driver.get(demo.address + "/events")
    watching = driver.current_window_handle
    before = text(driver, "#events")
    driver.switch_to.new_window("tab")
    driver.get(f"{demo.address}/accounts/{account}")
    form = find(driver, "form[action$='/top-up']")
    fill(form, amount="12.34")
    submit(driver, form.find_element(By.CSS_SELECTOR, "button"))
    driver.close()
    driver.switch_to.window(watching)
    wait(driver, lambda: "12.34" in text(driver, "#events") and text(driver, "#events") != before, "no event came")


def use_keyboard(driver, demo):
    """The first key leads past the navigation, and every link of it can be reached."""
    driver.get(demo.address + "/")
    keys = ActionChains(driver)
    keys.send_keys(Keys.TAB).perform()
    assert driver.switch_to.active_element.get_attribute("class") == "skip"
    keys.send_keys(Keys.ENTER).perform()
    wait(driver, lambda: driver.switch_to.active_element.get_attribute("id") == "main", "it leads not to the content")


def use_pictures(driver, demo, account):
    """Pictures are looked at from nearer by, with the mouse and with keys, and marks by their kind; under the policy that ships."""
    driver.get(f"{demo.address}/resources?account={account}&stage=active")
    driver.get(find(driver, "main a[href^='/resources/']").get_attribute("href").split("?")[0])
    width = lambda: find(driver, "figure.lanes .drawing").rect["width"]
    whole = width()
    find(driver, "figure.lanes .zoom button:nth-of-type(2)").click()
    assert round(width() / whole) == 2, "a picture is zoomed in to"
    find(driver, "figure.lanes .view").send_keys("++")
    assert round(width() / whole) == 8, "and with a key"
    find(driver, "figure.lanes .view").send_keys("0")
    assert width() == whole
    kind = find(driver, "figure.lanes [data-marks]").get_attribute("data-marks")
    drawn = f"figure.lanes .view .mark.{kind}"
    marks = lambda: [mark for mark in driver.find_elements(By.CSS_SELECTOR, drawn) if mark.is_displayed()]
    assert marks(), "there is something to choose"
    find(driver, "figure.lanes [data-marks] input").click()
    assert not marks(), "marks are left out by their kind"
    driver.get(f"{demo.address}/accounts/{account}")
    assert find(driver, "figure.balances .zoom button").is_displayed()


def prepare(driver, demo, account):
    """Something on every page: an address of a webhook, a channel, a plan that waits, and a revision in shadow."""
    for path, fields in [
        ("/webhooks", {"url": "https://example.com/hook", "description": "the ledger of the shop"}),
        ("/channels", {"kind": "slack", "url": "https://hooks.slack.com/services/x", "description": "the team"}),
    ]:
        driver.get(demo.address + path)
        form = find(driver, f"main form[method='post'][action='{path}']")
        fill(form, **fields)
        submit(driver, form.find_element(By.CSS_SELECTOR, "button"))
    driver.get(f"{demo.address}/resources?account={account}&stage=active")
    resource = find(driver, "main a[href^='/resources/']").get_attribute("href").split("?")[0]
    driver.get(f"{resource}/plan?command=renew&term=2%20month")
    submit(driver, find(driver, "form.act button"))
    driver.get(demo.address + "/plugins")
    bound = [row for row in driver.find_elements(By.CSS_SELECTOR, "main tbody tr") if row.text.startswith("huawei")]
    driver.get(bound[0].find_element(By.CSS_SELECTOR, "a[href^='/plugins/revisions/']").get_attribute("href"))
    form = find(driver, "form[action='/plugins/change']")
    fill(form, accounts=account)
    submit(driver, form.find_element(By.CSS_SELECTOR, "button"))
    submit(driver, find(driver, "form.act button"))
    assert driver.find_elements(By.CSS_SELECTOR, ".done"), text(driver)


def photograph_for_readme(program, folder):
    """The three pictures of README, as the demo begins."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, language, path in [("today", "en", "/"), ("resource", "en", None), ("calendar-zh", "zh-CN", "/calendar")]:
        with Demo(program) as demo, Browser(width=1200, language=language) as driver:
            sign_in(driver, demo, "operator")
            risk = find(driver, "#at-risk tbody tr:last-child a").get_attribute("href").removeprefix(demo.address)
            pages.open_whole(driver, demo.address + (path or risk))
            driver.save_screenshot(str(folder / f"console-{name}.png"))


def photograph(driver, demo, paths, folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    pages.set_scheme(driver, "light")
    for path in paths:
        pages.open_whole(driver, demo.address + path)
        size = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 2400), "scale": 1}
        data = driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})["data"]
        import base64

        file = path.strip("/").split("?")[0].replace("/", "-") or "today"
        (folder / f"{file}-{name}.png").write_bytes(base64.b64decode(data))


def play(program, name, is_by_keyboard=False, **browser):
    """One morning, whole, as one kind of reader has it."""
    with Demo(program) as demo, Browser(**browser) as driver:
        driver.is_by_keyboard = is_by_keyboard
        account = play_morning(driver, demo)
        run_job(driver, demo, account)
        edit_policy(driver, demo)
        put_aside(driver, demo)
        if not browser.get("has_script", True):
            look_again(driver, demo, account)
        elif not is_by_keyboard:
            follow_events(driver, demo, account)
        change_language(driver, demo)
        print(f"a morning {name}", flush=True)


def look_at_all(demo, folder):
    """Every page, wide and narrow, light and dark, with axe and by keyboard; that of signing in before anybody has."""
    for width in [1280, 390]:
        with Browser(width=width) as driver:
            for scheme in ["light", "dark"]:
                pages.look(driver, demo.address, ["/sign-in", "/sign-in?language=zh-CN"], width, scheme, with_keyboard=True)
            sign_in(driver, demo, "operator")
            paths = pages.find_all(driver, demo.address)
            if folder:
                photograph(driver, demo, paths, folder, str(width))
            pages.look(driver, demo.address, paths + ["/resources/none"], width, "light", with_keyboard=True)
            pages.look(driver, demo.address, paths, width, "dark")


def main():
    program = sys.argv[1]
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if folder:
        photograph_for_readme(program, folder)
    picture.look(program)
    play(program, "with script")
    play(program, "without script", has_script=False)
    play(program, "in Chinese", language="zh-CN")
    play(program, "in Chinese without script", language="zh-CN", has_script=False)
    play(program, "on a window of 390 pixels", width=390)
    play(program, "with the keyboard alone", is_by_keyboard=True)
    with Demo(program) as demo, Browser(language="zh-CN") as driver:
        account = play_morning(driver, demo)
        assert find(driver, "html").get_attribute("lang") == "zh-CN"
        run_job(driver, demo, account)
        edit_policy(driver, demo)
        use_keyboard(driver, demo)
        use_pictures(driver, demo, account)
        prepare(driver, demo, account)
        look_at_all(demo, folder)


if __name__ == "__main__":
    main()
