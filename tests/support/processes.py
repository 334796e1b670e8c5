"""``ox`` as users run it: processes, a hub among them, and a line between that can be held."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from oxcli.main import run

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds for anything, on the slowest machine


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Ox:
    """Runs ``ox`` as somebody with a home in ``folder``: ``start`` in a process, a call in this
    one, where it is ten times as quick. Calls assert exit code 0."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("OX_")},
            "PYTHONPATH": str(ROOT),
            "OX_CONFIG_HOME": str(self.folder / "home"),
            "OX_AUTHOR_NAME": "Ann",
            "OX_AUTHOR_EMAIL": "ann@example.org",
        }

    def start(self, *args, cwd=None):
        """Begin, and give the process."""
        return subprocess.Popen(
            [sys.executable, "-m", "oxcli", *map(str, args)],
            cwd=cwd or self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *args, cwd=None, code=0):
        """Run to the end; ``code`` None lets any exit code pass."""
        out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
        with (
            mock.patch.dict(os.environ, self.env, clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            os.chdir(cwd or self.folder)
            try:
                done = Done(run([str(arg) for arg in args]), out.getvalue(), err.getvalue())
            finally:
                os.chdir(before)
        assert code in (None, done.code), f"ox {args} -> {done.code}\n{done.out}{done.err}"
        return done


def finish(process):
    """Wait for a process, and give what it printed."""
    out, err = process.communicate(timeout=PATIENCE)
    return Done(process.returncode, out.decode(), err.decode())


def kill(process):
    """As ``kill -9``: nothing of it can clean up."""
    process.kill()
    process.communicate(timeout=PATIENCE)


class HubProcess:
    """``ox hub serve`` on a free port, which it keeps when it is started again."""

    def __init__(self, ox, root, *options):
        self.root = Path(root)
        self.port = 0
        self._ox = ox
        self._options = options
        self._log = self.root.parent / f"{self.root.name}.log"
        self.secret = None
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        """What it wrote on stderr so far."""
        return self._log.read_text()

    def start(self):
        """Start it, and wait until it answers."""
        with self._log.open("ab") as log:
            command = ["hub", "serve", "--root", self.root, "--port", self.port, *self._options]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "oxcli", *map(str, command)],
                env=self._ox.env,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.port = int(re.search(rb":(\d+),", self._line())[1])
        if self.secret is None:
            self._line()
            self.secret = self._line().split()[-1].decode()
        wait_for(self._answers)

    def _line(self):
        line = self._process.stdout.readline()
        assert line, f"the hub ended: {self.log}"
        return line

    def _answers(self):
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as line:
            line.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return b"200" in line.recv(100)
        return False

    def kill(self):
        """As ``kill -9``."""
        kill(self._process)

    def stop(self, how=signal.SIGTERM):
        """As an orderly shutdown does it; gives the exit code and what it printed at last."""
        self._process.send_signal(how)
        out, _ = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, out.decode()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self._process.poll() is None:
            self.stop()
        assert "Traceback" not in self.log, self.log


def wait_for(test):
    """Wait until ``test()`` is true; gives what it gave."""
    end = time.monotonic() + PATIENCE
    while not (found := test()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


class Line:
    """A proxy to ``port`` that lets so many bytes through in all, up or down, and then holds:
    what comes after is swallowed, until one end goes away. ``held`` tells that it does."""

    def __init__(self, port, *, up=None, down=None):
        self._target = port
        self._left = {"up": up, "down": down}
        self.held = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open = []

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self._target), 5)
        except OSError:
            client.close()
            return
        self._open += [client, server]
        back = threading.Thread(target=self._pump, args=(server, client, "down"), daemon=True)
        back.start()
        self._pump(client, server, "up")
        back.join()
        client.close()
        server.close()

    def _pump(self, source, sink, way):
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(self._passed(data, way))
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _passed(self, data, way):
        left = self._left[way]
        if left is None:
            return data
        self._left[way] = max(0, left - len(data))
        if len(data) > left:
            self.held.set()
        return data[:left]

    def release(self):
        """Cut what is open, and let everything through from now on."""
        self._left = {"up": None, "down": None}
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            one.close()
