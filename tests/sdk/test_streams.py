"""exec, attach, cp and port-forward: by the newest kubectl, and by one that knows SPDY only."""

import concurrent.futures
import hashlib
import os
import pathlib
import pty
import re
import signal
import subprocess
import termios
import urllib.request

import pytest
from looked_into import FIVE_MEGABYTES, looked_into
from shed import find_kubectl, wait_until

pytestmark = pytest.mark.kubectl


def old_kubectl():
    """One from before 1.30, which speaks SPDY only."""
    candidates = [os.environ.get("KUBECTL_BEFORE_1_30")]
    candidates += [f"/usr/lib/google-cloud-sdk/bin/kubectl.1.{minor}" for minor in (29, 28, 27)]
    return next((path for path in candidates if path and os.access(path, os.X_OK)), None)


@pytest.fixture(scope="module")
def pod(cluster):
    with looked_into(cluster) as name:
        yield name


@pytest.fixture(params=["websocket", "spdy"])
def kubectl(request, cluster, pod):
    """Runs a kubectl on the cluster: bytes in, bytes out."""
    program = find_kubectl() if request.param == "websocket" else old_kubectl()
    if not program:
        pytest.skip("NO KUBECTL BEFORE 1.30 FOUND: set KUBECTL_BEFORE_1_30 to the path of one")
    env = environment_of(cluster)

    def run(*words, stdin=b"", timeout=60):
        return subprocess.run([program, *words], input=stdin, capture_output=True, timeout=timeout, env=env)

    run.program, run.env = program, env
    return run


def environment_of(cluster):
    env = dict(os.environ, KUBECONFIG=str(cluster.kubeconfig), HOME=str(cluster.home))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        env.pop(name, None)
    return env


def shell(script):
    return "exec", "streams", "-c", "main", "--", "sh", "-c", script


def test_exit_codes_come_back(kubectl):
    assert kubectl(*shell("exit 0")).returncode == 0
    done = kubectl(*shell("echo out; echo err >&2; exit 3"))
    assert (done.returncode, done.stdout) == (3, b"out\n")
    assert done.stderr.endswith(b"command terminated with exit code 3\n") and done.stderr.startswith(b"err\n")
    assert kubectl(*shell("kill -9 $$")).returncode == 137


def test_a_command_runs_as_the_container_does(kubectl):
    text = kubectl(*shell("id -u; pwd; echo $GREETING; hostname; grep CapEff /proc/self/status")).stdout.decode()
    assert text.splitlines() == ["1000", "/home/mpiuser", "hello from the spec", "streams", "CapEff:\t0000000000000000"]
    # As a container's own: these streams can be opened again by name.
    done = kubectl(*shell("echo a > /dev/stdout; echo b > /dev/stderr"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a\n", b"b\n")


def test_five_megabytes_go_both_ways(kubectl):
    data = os.urandom(FIVE_MEGABYTES)
    done = kubectl("exec", "-i", "streams", "-c", "main", "--", "cat", stdin=data)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(done.stdout).hexdigest() == hashlib.sha256(data).hexdigest()


def test_a_command_that_ends_early_need_not_read_its_input(kubectl):
    done = kubectl("exec", "-i", "streams", "-c", "main", "--", "head", "-c", "3", stdin=b"abc" + bytes(FIVE_MEGABYTES))
    assert (done.returncode, done.stdout) == (0, b"abc")


def test_output_of_a_child_left_behind_is_not_waited_for(kubectl):
    done = kubectl(*shell("sleep 100 & echo started"), timeout=30)
    assert (done.returncode, done.stdout) == (0, b"started\n")


class Terminal:
    """A program on a terminal of its own, as a person has it."""

    def __init__(self, words, env, size=(25, 81)):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            termios.tcsetwinsize(0, size)
            os.execve(words[0], words, env)
        self.text = ""

    def resize(self, rows, columns):
        termios.tcsetwinsize(self.fd, (rows, columns))
        os.kill(self.pid, signal.SIGWINCH)

    def say(self, line):
        os.write(self.fd, line.encode())

    def expect(self, pattern):
        while not (found := re.search(pattern, self.text)):
            try:
                part = os.read(self.fd, 4096)
            except OSError:
                part = b""
            assert part, f"no {pattern!r} in {self.text!r}"
            self.text += part.decode(errors="replace")
        self.text = self.text[found.end():]
        return found

    def exit_code(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_terminal_has_a_name_a_size_and_signals(kubectl):
    term = Terminal([kubectl.program, "exec", "-it", "streams", "-c", "main", "--", "sh"], kubectl.env)
    term.say("tty; echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo terminals\n")
    term.expect(r"/dev/pts/\d+\r\n")
    term.expect(r"xterm\r\n")
    term.expect(r"terminals\r\n")
    term.say("until [ \"$(stty size)\" = '25 81' ]; do :; done; echo s''ized\n")
    term.expect("sized")
    term.resize(40, 132)
    term.say("until [ \"$(stty size)\" = '40 132' ]; do :; done; echo re''sized\n")
    term.expect("resized")
    term.say("sh -c 'echo wait\"\"ing; exec sleep 100'\n")
    term.expect("waiting")
    term.say("\x03")  # for the terminal's line discipline to make a signal of
    term.say("echo code $?\n")
    term.expect("code 130")
    term.say("exit 7\n")
    term.expect("exit code 7")
    assert term.exit_code() == 7


def test_directories_are_copied_both_ways(kubectl, tmp_path):
    there, back = tmp_path / "there", tmp_path / "back"
    (there / "sub").mkdir(parents=True)
    (there / "sub/data").write_bytes(os.urandom(300_000))
    (there / "words").write_text("some words\n")
    done = kubectl("cp", str(there), "streams:/tmp/copied", "-c", "main")
    assert done.returncode == 0, done.stderr
    assert kubectl(*shell("cat /tmp/copied/words")).stdout == b"some words\n"
    done = kubectl("cp", "streams:/tmp/copied", str(back), "-c", "main")
    assert done.returncode == 0, done.stderr
    for name in ("words", "sub/data"):
        assert (back / name).read_bytes() == (there / name).read_bytes()
    kubectl(*shell("rm -r /tmp/copied"))


@pytest.fixture
def forward(kubectl):
    """Starts `kubectl port-forward` and says where it listens."""
    started = []

    def start(port):
        process = subprocess.Popen([kubectl.program, "port-forward", "pod/streams", f":{port}"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=kubectl.env, text=True)
        started.append(process)
        line = process.stdout.readline()
        return process, "http://127.0.0.1:" + re.match(r"Forwarding from 127.0.0.1:(\d+)", line).group(1)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def fetch(url):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
        return answer.read()


def test_ports_are_forwarded_to_the_pods_loopback(kubectl, forward):
    kubectl(*shell("head -c 3000000 /dev/urandom > /tmp/web/blob"))
    _, url = forward(8080)
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        blobs = list(pool.map(lambda _: fetch(url + "/blob"), range(5)))
    digest = kubectl(*shell("sha256sum /tmp/web/blob")).stdout.split()[0].decode()
    assert [hashlib.sha256(blob).hexdigest() for blob in blobs] == [digest] * 5
    # And again on the same forwarding.
    assert b"blob" in fetch(url)


def test_a_port_nobody_listens_on_is_told(forward):
    process, url = forward(9999)
    with pytest.raises(OSError):
        fetch(url)
    text = ""
    while "connection refused" not in text:
        line = process.stderr.readline()
        assert line, f"kubectl said nothing of it: {text}"
        text += line
    assert "error forwarding port 9999 to pod" in text


def test_attach_shows_what_comes(kubectl):
    process = subprocess.Popen([kubectl.program, "attach", "streams", "-c", "talker"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=kubectl.env, text=True)
    lines = [process.stdout.readline() for _ in range(3)]
    process.kill()
    _, errors = process.communicate()
    first = int(lines[0].split()[1])
    assert lines == [f"line {first + i}\n" for i in range(3)]
    assert f"error {first + 1}\n" in errors


def test_a_pods_input_comes_from_who_attaches(kubectl):
    done = kubectl("run", "reader", "--image=busybox", "--restart=Never", "-i", "--rm", "--quiet", "--",
                   "sh", "-c", "sha256sum; exit 4", stdin=b"x" * FIVE_MEGABYTES)
    assert hashlib.sha256(b"x" * FIVE_MEGABYTES).hexdigest() in done.stdout.decode()
    assert done.returncode == 4


def test_a_pods_terminal_is_attached_to(kubectl):
    term = Terminal([kubectl.program, "run", "typist", "--image=busybox", "--restart=Never", "-it", "--rm",
                     "--env=PS1=typist: ", "--", "sh"], kubectl.env)
    term.say("\n")  # the first prompt may have come before we did
    term.expect("typist: ")  # it is no whole line
    term.say("until [ \"$(stty size)\" = '25 81' ]; do :; done; tty; test -t 0 && echo s''ized\n")
    term.expect(r"/dev/pts/0\r\nsized")
    term.say("exit 6\n")
    assert term.exit_code() == 6


def test_mistakes_are_told_in_the_servers_words(kubectl):
    def failure(*words):
        done = kubectl(*words)
        assert done.returncode == 1
        return done.stderr.decode()

    assert "container nope is not valid for pod streams" in failure("exec", "streams", "-c", "nope", "--", "true")
    assert 'pods "nope" not found' in failure("exec", "nope", "--", "true")
    assert "cannot exec into a container in a completed pod" in failure("exec", "done", "--", "true")
    text = failure("exec", "streams", "-c", "main", "--", "no-such-program")
    assert 'exec: "no-such-program": executable file not found in $PATH' in text
    assert "Internal error occurred" in text
    assert "pod is not running" in failure("port-forward", "pod/done", ":8080")


def running_in(cluster, pattern):
    """Processes of this machine, the pods' too, whose command line has `pattern`."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if pattern in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_what_reads_its_input_ends_with_its_client(cluster, kubectl):
    mark = b"unique_%d" % os.getpid()
    script = f"cat > /dev/null; : {mark.decode()}"
    process = subprocess.Popen([kubectl.program, "exec", "-i", *shell(script)[1:]], stdin=subprocess.PIPE,
                               env=kubectl.env)
    try:
        wait_until(lambda: len(running_in(cluster, mark)) > 1, 30, "the command runs")
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not running_in(cluster, mark), 30, "the command has ended")


def resident_kilobytes(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


def test_a_client_that_floods_and_goes_is_forgotten(cluster, kubectl):
    descriptors = pathlib.Path(f"/proc/{cluster.pid()}/fd")
    before, memory = len(list(descriptors.iterdir())), resident_kilobytes(cluster.pid())
    mark = b"flooded_%d" % os.getpid()
    with open("/dev/zero", "rb") as flood:
        process = subprocess.Popen([kubectl.program, "exec", "-i", *shell(f"sleep 15; : {mark.decode()}")[1:]], stdin=flood,
                                   env=kubectl.env)
        try:
            wait_until(lambda: len(list(descriptors.iterdir())) > before, 30, "the server has taken the stream")
            wait_until(lambda: len(running_in(cluster, mark)) > 1, 30, "the command runs")
        finally:
            process.kill()
            process.wait()
    # The command, which reads nothing, does not keep them.
    wait_until(lambda: len(list(descriptors.iterdir())) <= before, 10, "the client's descriptors are closed")
    assert resident_kilobytes(cluster.pid()) < memory + 20_000


def test_a_slow_client_costs_no_memory(cluster, kubectl):
    before = resident_kilobytes(cluster.pid())
    process = subprocess.Popen([kubectl.program, *shell("head -c 300000000 /dev/zero; echo $?; cat /dev/zero")],
                               stdout=subprocess.PIPE, env=kubectl.env)
    try:
        process.stdout.read(10_000_000)
        # The command is stuck in a write when what it has written no longer grows.
        writers = running_in(cluster, b"head\0-c\x00300000000")

        def written():
            text = pathlib.Path(f"/proc/{writers[0]}/io").read_text()
            return int(re.search(r"wchar: (\d+)", text).group(1))

        assert writers
        last = [-1]

        def stuck():
            now, then = written(), last[0]
            last[0] = now
            return now == then

        wait_until(stuck, 30, "the command waits for its reader")
        assert written() < 100_000_000
        assert resident_kilobytes(cluster.pid()) < before + 20_000
    finally:
        process.kill()
        process.communicate()
