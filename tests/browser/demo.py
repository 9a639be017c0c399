"""The demo with its console, for as long as a script needs it, and a browser to look at it with."""

import os
import pathlib
import subprocess
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

# Where Debian has the browser and its driver.
BROWSER = "/usr/bin/chromium"
DRIVER = "/usr/bin/chromedriver"

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Demo:
    """`perennial demo --serve`, at an address of its own."""

    def __init__(self, program):
        self.program = pathlib.Path(program).resolve()

    def __enter__(self):
        command = [str(self.program), "demo", "--serve", "--listen", "127.0.0.1:0"]
        log = {**os.environ, "RUST_LOG": "warn"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=log)
        self.tokens = {}
        for line in self.process.stdout:
            if "http://" in line:
                self.address = "http://" + line.split("http://")[1].split("/")[0]
            elif " pn_" in line:
                name, secret = line.split()
                self.tokens[name] = secret
            elif line.startswith("Nothing is kept"):
                return self
        raise RuntimeError("the demo ended before its console was there")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Browser:
    """Chromium, with or without script, in a window of some width."""

    def __init__(self, width=1280, has_script=True, language="en"):
        self.width, self.has_script, self.language = width, has_script, language

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="perennial-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for flag in [*FLAGS, f"--user-data-dir={self.profile.name}", f"--window-size={self.width},1000"]:
            options.add_argument(flag)
        content = {"intl.accept_languages": self.language}
        if not self.has_script:
            content["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", content)
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        # A window is never narrower than some 500 pixels; what a phone has is said to the page.
        metrics = {"width": self.width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return self.driver

    def __exit__(self, *_):
        self.driver.quit()
        self.profile.cleanup()
