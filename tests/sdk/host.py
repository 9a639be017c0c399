"""A host that serves a provider's own API, for as long as a script needs it.

Everything is made as an operator makes it: a key for secrets, a database with an inventory, an access key, and a
configuration with the addresses. The ports are whatever is free; the host's log says which.
"""

import json
import pathlib
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

# How long the host may take to compile its plugins and listen, in seconds.
START_SECONDS = 120


class Host:
    """A host for the accounts and resources of `inventory`, with the API of `provider`."""

    def __init__(self, program, provider, inventory):
        self.program = pathlib.Path(program).resolve()
        self.provider = provider
        self.inventory = inventory
        self.process = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="perennial-sdk-")
        self.path = pathlib.Path(self.folder.name)
        try:
            self._prepare()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
        self.folder.cleanup()

    def key(self, account):
        """The two halves of the account's key: the access key and its secret."""
        return self.keys[account]

    def admin(self, path, body):
        """What the admin API answers to a command of an operator: for what the provider's own API has no request."""
        request = urllib.request.Request(
            f"http://{self.admin_address}{path}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    @property
    def endpoint(self):
        """Where the provider's API is, as SDKs want it."""
        return f"http://{self.address}"

    def _prepare(self):
        self._run("key", "new-secrets-key", self._file("secrets.key"))
        inventory = self.path / "inventory.json"
        inventory.write_text(json.dumps(self.inventory))
        self._run("import", inventory, "--accept-expired")
        self.token = self._run("token", "create", "--name", "sdk", "--role", "operator").strip()
        self.keys = {account["id"]: self._make_key(account["id"]) for account in self.inventory["accounts"]}
        config = f"""
            [listen]
            admin = "127.0.0.1:0"
            {self.provider} = "127.0.0.1:0"
            [secrets]
            key_file = {json.dumps(str(self._file("secrets.key")))}
            [log]
            format = "json"
        """
        (self.path / "perennial.toml").write_text(config)

    def _make_key(self, account):
        secrets = ["--secrets-key-file", self._file("secrets.key")]
        shown = self._run("key", "create", "--account", account, "--name", "sdk", *secrets)
        lines = dict(line.split(": ", 1) for line in shown.splitlines())
        return lines["access key"], lines["secret key"]

    def _start(self):
        command = self._command("serve", "--config", self._file("perennial.toml"))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.log = []
        self.address = None
        self.admin_address = None
        listens = threading.Event()
        threading.Thread(target=self._read, args=(listens,), daemon=True).start()
        listens.wait(START_SECONDS)
        if self.address is None:
            raise RuntimeError("the host does not listen:\n" + "".join(self.log))

    def _read(self, listens):
        """Keeps the log, and finds the address in it. Read to its end, so that the host is never held up by it."""
        for line in self.process.stdout:
            self.log.append(line)
            if not listens.is_set() and "address" in line:
                fields = json.loads(line)
                fields = {**fields, **fields.get("fields", {})}
                if fields.get("provider") == self.provider:
                    self.address = fields["address"]
                elif "provider" not in fields:
                    self.admin_address = fields.get("address", self.admin_address)
                if self.address and self.admin_address:
                    listens.set()
        listens.set()

    def _file(self, name):
        return self.path / name

    def _command(self, *arguments):
        return [str(self.program), "--db", str(self._file("host.db")), *map(str, arguments)]

    def _run(self, *arguments):
        done = subprocess.run(self._command(*arguments), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"`perennial {arguments[0]}` failed: {done.stderr}")
        return done.stdout
