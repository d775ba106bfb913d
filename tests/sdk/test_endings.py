"""Signals and closed terminals at any moment of a start, a taken name and a taken port."""

import contextlib
import fcntl
import os
import pty
import re
import signal
import socket
import subprocess
import termios
import time
import uuid

import pytest
from shed import BINARY, ROOT, leftovers, own_namespaces, wait_until

MANIFEST = ROOT / "scenarios/guide/mlx3.yaml"
# How far a start has come, by what it has said: before anything, then by each stage, then in service.
MOMENTS = ["", "pods  ", "api server", "nodes", "Ctrl-C ends"]
SECONDS = 5


class Started:
    """A cluster in the foreground, with a terminal of its own if `terminal`."""

    def __init__(self, *words, terminal=False):
        self.name = "t" + uuid.uuid4().hex[:10]
        command = [BINARY, *words, "--name", self.name]
        self.reading, writing = pty.openpty() if terminal else os.pipe()
        take = (lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if terminal else None
        self.process = subprocess.Popen(command, stdin=writing if terminal else subprocess.DEVNULL, stdout=writing,
                                        stderr=writing, start_new_session=True, preexec_fn=take)
        os.close(writing)
        self.said = ""

    def until(self, text):
        """Reads until it has said this; "" is at once."""
        while text not in self.said:
            more = os.read(self.reading, 4096)
            assert more, self.said
            self.said += more.decode(errors="replace")

    def close(self):
        os.close(self.reading)
        self.reading = None

    def drain(self):
        with contextlib.suppress(OSError):  # of a terminal whose last process has gone
            while self.reading is not None and (more := os.read(self.reading, 4096)):
                self.said += more.decode(errors="replace")

    def ends(self, *codes):
        start = time.monotonic()
        self.drain()
        code = self.process.wait(timeout=30)
        took = time.monotonic() - start
        assert code in codes, (code, self.said)
        assert took <= SECONDS, f"{took:.1f} s: {self.said}"
        if self.reading is not None:
            self.close()


def gone(name, namespaces=frozenset()):
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not leftovers(name, namespaces), SECONDS, "all gone")
    assert leftovers(name, namespaces) == []


# Before the program has got hold of a signal it dies of it; a shell shows both alike.
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda text: text.strip() or "at once")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_signal_ends_a_start_at_any_moment(number, moment):
    up = Started("up", "--plain")
    up.until(moment)
    namespaces = own_namespaces(up.name)
    up.process.send_signal(number)
    up.ends(128 + number, *([] if moment else [-number]))
    gone(up.name, namespaces)


@pytest.mark.parametrize("moment", MOMENTS[1:], ids=str.strip)
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(second, moment):
    up = Started("up", "--plain")
    up.until(moment)
    namespaces = own_namespaces(up.name)
    up.process.send_signal(signal.SIGINT)
    up.process.send_signal(second)
    up.ends(130, 128 + second)
    gone(up.name, namespaces)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda text: text.strip() or "at once")
def test_a_closed_terminal_ends_it(moment):
    up = Started("up", "--plain", terminal=True)
    up.until(moment)
    namespaces = own_namespaces(up.name)
    up.close()
    up.ends(128 + signal.SIGHUP, -signal.SIGHUP)
    gone(up.name, namespaces)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run(number):
    run = Started("run", str(MANIFEST), "--plain")
    run.until("created")
    namespaces = own_namespaces(run.name)
    run.process.send_signal(number)
    run.ends(128 + number)
    gone(run.name, namespaces)


def test_down_ends_one_in_the_foreground_well():
    up = Started("up", "--plain")
    up.until("Ctrl-C ends")
    subprocess.run([BINARY, "down", "-q", "--name", up.name], check=True, timeout=30)
    up.ends(0)
    assert leftovers(up.name) == []


def test_a_taken_name_is_told_with_its_owner():
    up = Started("up", "--plain")
    up.until("Ctrl-C ends")
    for words in (["up"], ["up", "-d"], ["run", str(MANIFEST)]):
        done = subprocess.run([BINARY, *words, "--name", up.name], capture_output=True, text=True, timeout=30)
        assert done.returncode == 4, done.stderr
        assert f'cluster "{up.name}" is already running (pid {up.process.pid})' in done.stderr
    up.process.send_signal(signal.SIGTERM)
    up.ends(143)


def test_a_taken_port_is_told_and_without_one_another_is_found():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        up = Started("up", "--plain", "--port", str(port))
        up.ends(4)
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in up.said
        gone(up.name)
        other = Started("up", "--plain")
        other.until("Ctrl-C ends")
        assert int(re.search(r"https://127\.0\.0\.1:(\d+)", other.said)[1]) != port
        other.process.send_signal(signal.SIGINT)
        other.ends(130)
