"""Drives the real `trainshed` binary, and looks from outside at what it leaves behind."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("TRAINSHED", ROOT / "build/release/bin/trainshed"))


def wait_until(condition, seconds, what):
    """Waits for `condition` to return something true and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)  # Polls from outside: there is nothing to wait on.


def find_kubectl():
    """A kubectl of 1.27 or later by its own path; dispatchers pick other binaries by server version."""
    candidates = [os.environ.get("KUBECTL")]
    candidates += [f"/usr/lib/google-cloud-sdk/bin/kubectl.1.{minor}" for minor in range(33, 26, -1)]
    candidates += [shutil.which("kubectl")]
    for path in candidates:
        if path and os.access(path, os.X_OK):
            return path
    return None


def processes_of(name):
    """Processes of the cluster `name`, found by their arguments or environment-independent markers."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            root = os.readlink(entry / "root") if entry.joinpath("root").is_symlink() else ""
        except OSError:
            continue
        text = b" ".join(words).decode(errors="replace")
        if f"/clusters/{name}/" in text or f"--name {name}" in text or f"/clusters/{name}/" in root:
            if int(entry.name) != os.getpid():
                found.append((int(entry.name), text))
    return found


def clusters_directory():
    if os.geteuid() == 0:
        return pathlib.Path("/var/lib/trainshed/clusters")
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return pathlib.Path(base) / "trainshed/clusters"


def namespaces_of(pid):
    """The network, user and PID namespaces of a process, as the kernel names them."""
    seen = set()
    for kind in ("net", "user", "pid"):
        try:
            seen.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
        except OSError:
            continue
    return seen


class HeldNamespaces(set):
    """Names of namespaces, which the kernel gives to no others while this object lives: else those of a cluster that
    has ended would soon be another's."""

    def __init__(self, processes):
        super().__init__()
        self.held = []
        for pid in processes:
            for kind in ("net", "user", "pid"):
                self.hold(f"/proc/{pid}/ns/{kind}")

    def hold(self, path):
        try:
            held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        name = os.readlink(f"/proc/self/fd/{held}")
        if name in self or name in namespaces_of("self"):
            os.close(held)
        else:
            self.held.append(held)
            self.add(name)

    def __del__(self):
        for held in self.held:
            os.close(held)


def own_namespaces(name):
    """The namespaces of a running cluster: its pods' processes are in them, whatever they are called."""
    return HeldNamespaces(pid for pid, _ in processes_of(name))


def processes_in(namespaces):
    pids = [entry.name for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]
    return [int(pid) for pid in pids if namespaces_of(pid) & namespaces]


def groups_of(name):
    """The control groups of cluster `name`, and of no other, wherever they are."""
    found = []
    for folder, below, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(folder, group) for group in below if group.startswith(f"trainshed-{name}.")]
    return found


def leftovers(name, namespaces=frozenset()):
    """What is left of cluster `name`: processes (also those in its namespaces), mounts, groups and directories."""
    left = [f"process {pid}: {text}" for pid, text in processes_of(name)]
    left += [f"process {pid} in a namespace of {name}" for pid in processes_in(namespaces)]
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    left += [f"mount {line}" for line in mounts.splitlines() if f"/clusters/{name}" in line]
    left += [f"control group {group}" for group in groups_of(name)]
    if (clusters_directory() / name).exists():
        left.append(f"directory {clusters_directory() / name}")
    return left


def readable(path):
    """Opens `path`, below /tmp, to pods, which are other users; returns it."""
    for folder in [*path.parents, path]:
        if folder.is_relative_to("/tmp") and folder.stat().st_uid == path.stat().st_uid:
            folder.chmod(folder.stat().st_mode | 0o55)
    return path


def environments():
    """What `trainshed image list` knows of each environment: name -> {"built": ..., "layers": ...}."""
    rows = json.loads(subprocess.check_output([BINARY, "image", "list", "-o", "json"], text=True))
    return {row["environment"]: row for row in rows}


def packages_of(*names):
    """PYTHONPATH for a program of this machine that uses the packages of these environments."""
    base = pathlib.Path("/var/lib/trainshed") if os.geteuid() == 0 else pathlib.Path(
        os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")) / "trainshed"
    folders = [p for name in names for p in (base / "environments" / name).glob("usr/local/lib/python3*/dist-packages")]
    return os.pathsep.join(map(str, folders))


class Cluster:
    def __init__(self, *flags, name=None, env=None):
        self.name = name or "t" + uuid.uuid4().hex[:10]
        self.flags = flags
        self.env = env
        self.kubeconfig = None
        self.namespaces = set()

    def up(self):
        self.said = self.run("up", "-d", "--name", self.name, *self.flags, timeout=60).stderr
        self.namespaces = own_namespaces(self.name)
        assert self.namespaces, "its pods are in no namespaces of their own"
        text = self.run("kubeconfig", "--name", self.name).stdout
        self.home = pathlib.Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        self.kubeconfig = self.home / "kubeconfig"
        self.kubeconfig.write_text(text)
        return self

    def down(self):
        self.run("down", "--name", self.name, timeout=60)
        shutil.rmtree(self.home, ignore_errors=True)

    def processes(self):
        return processes_in(self.namespaces)

    def leftovers(self):
        return leftovers(self.name, self.namespaces)

    def run(self, *words, timeout=120, check=True):
        result = subprocess.run(
            [BINARY, *words], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
            env=dict(os.environ, **(self.env or {})),
        )
        if check and result.returncode != 0:
            raise AssertionError(f"trainshed {words}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def kubectl(self, *words, check=True, timeout=120, stdin=None):
        env = dict(os.environ, KUBECONFIG=str(self.kubeconfig), HOME=str(self.home))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            env.pop(name, None)
        result = subprocess.run(
            [find_kubectl(), *words], capture_output=True, text=True, timeout=timeout, env=env, input=stdin
        )
        if check and result.returncode != 0:
            raise AssertionError(f"kubectl {words}: exit {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def get(self, *words):
        return json.loads(self.kubectl("get", *words, "-o", "json").stdout)

    def events_of(self, name, at_least=1):
        """What was told of an object at least so often: "REASON: MESSAGE"."""
        items = self.get("events", f"--field-selector=involvedObject.name={name}")["items"]
        return [f"{event['reason']}: {event['message']}" for event in items if (event.get("count") or 1) >= at_least]

    def why(self, job):
        return json.loads(self.run("why", job, "--name", self.name, "-o", "json").stdout)

    def pid(self):
        return json.loads((clusters_directory() / self.name / "cluster.json").read_text())["pid"]

    def kill(self, number=signal.SIGKILL):
        os.kill(self.pid(), number)
