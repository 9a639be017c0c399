"""Runs what docs/plugins.md says to authors in JavaScript and Python: each command, in an empty folder, without this repository.

    guide.py PROGRAM [LANGUAGE ...]

It takes Node.js with npm, Python with venv, and the registries of both. Blocks of commands are marked `sh LANGUAGE`, and what
they print `text LANGUAGE`. At the end it prints what each language's plugin takes, beside those of a table and of Rust.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

GUIDE = pathlib.Path(__file__).parents[2] / "docs" / "plugins.md"
LANGUAGES = {"javascript": ["node", "npm"], "python": ["python3"]}
# What a call may take that asks nothing: half of what every call has to start with. The tools of both languages have the program
# start where it ended when it was built; one that starts from nothing takes many times as much.
START_FUEL_MAX = 10_000_000
BLOCK = re.compile(r"^```(sh|text) (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(commands, folder, environment):
    """What the commands print; ends this program where one fails."""
    ran = subprocess.run(["sh", "-e", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{commands}\nended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def follow(language, folder, environment):
    """Runs the guide's part for a language, and compares what it prints."""
    printed, blocks = None, 0
    for kind, of, text in BLOCK.findall(GUIDE.read_text()):
        if of != language:
            continue
        if kind == "sh":
            printed, blocks = run(text, folder, environment), blocks + 1
        elif printed != text:
            sys.exit(f"the guide of {language} says\n{text}\nand the commands print\n{printed}")
    if blocks < 3:
        sys.exit(f"the guide has only {blocks} blocks of commands for {language}")


def figures(plugin, folder, environment):
    """Size, start, fuel and time, as `perennial plugin bench` prints them; ends this program where a start takes too much."""
    told = run(f"perennial plugin bench {plugin}", folder, environment)
    start = int(re.search(r"^start +fuel (\d+)", told, re.MULTILINE).group(1))
    if start > START_FUEL_MAX:
        sys.exit(f"{plugin} takes {start} units of fuel to start, and {START_FUEL_MAX} are expected: its snapshot does not work")
    return told


def main():
    program, *languages = sys.argv[1:]
    languages = languages or list(LANGUAGES)
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        programs = pathlib.Path(folder, "bin")
        programs.mkdir()
        (programs / "perennial").symlink_to(pathlib.Path(program).resolve())
        known = {name: os.environ[name] for name in ("HOME", "CARGO_HOME", "RUSTUP_HOME") if name in os.environ}
        path = f"{programs}:{os.environ['PATH']}"
        environment = {**known, "PATH": path, "PERENNIAL_CACHE": str(pathlib.Path(folder, "cache"))}
        for language in languages:
            missing = [tool for tool in LANGUAGES[language] if shutil.which(tool) is None]
            if missing:
                print(f"skipped {language}: there is no {' and no '.join(missing)}")
                continue
            work = pathlib.Path(folder, language)
            work.mkdir()
            follow(language, work, environment)
            for plugin in sorted(work.glob("*/*.wasm")):
                measured[f"{language}: {plugin.name}"] = figures(plugin, work, environment)
        run("perennial plugin new nimbus", folder, environment)
        measured["table: nimbus.toml"] = figures("nimbus/nimbus.toml", folder, environment)
        if shutil.which("cargo"):
            run("perennial plugin new mist --language rust && perennial plugin build mist", folder, environment)
            measured["rust: mist.wasm"] = figures("mist/mist.wasm", folder, environment)
    for plugin, told in measured.items():
        print(f"{plugin}\n{told}")


if __name__ == "__main__":
    main()
