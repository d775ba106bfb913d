"""What another user of this machine can reach of a cluster, and what they can put in its way beforehand."""

import contextlib
import errno
import json
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import uuid

import pytest
from pods import Pods, container
from shed import BINARY, clusters_directory, wait_until

STRANGER = 65534
WORDS = "words of somebody else\n"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="ONLY ROOT CAN BE ANOTHER USER")


def as_stranger(act):
    """What `act` gives in a child that is another user: a text, or the name of the error."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            text = str(act())
        except OSError as error:
            text = errno.errorcode[error.errno]
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        text = lines.read()
    os.waitpid(child, 0)
    return text


def connect(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one:
        one.connect(str(path))
    return "connected"


@as_root
@pytest.mark.kubectl
def test_another_user_gets_nowhere_in_the_clusters_directory(cluster):
    directory = clusters_directory() / cluster.name
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "closed"}, "stringData": {"key": WORDS}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(secret))
    pods = Pods(cluster)
    name = pods.add(container("main", "while :; do sleep 0.05; done", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
                    volumes=[{"name": "v", "secret": {"secretName": "closed"}}])
    pods.ready(name)
    uid = cluster.get("pod", name)["metadata"]["uid"]
    volumes = [path for path in (directory / "node/pods" / uid).rglob("key") if path.is_file()]
    assert volumes, "the secret's file is looked for where it is"
    assert as_stranger(lambda: os.listdir("/usr")) != "EACCES", "the control"
    for folder in (directory, directory / "node", directory / "node/pods"):
        assert as_stranger(lambda folder=folder: os.listdir(folder)) == "EACCES", folder
    for file in (directory / "kubeconfig", directory / "cluster.json", directory / "log", directory / "store.db",
                 directory / "owner.lock", *volumes):
        assert as_stranger(lambda file=file: file.read_text()) == "EACCES", file
    assert as_stranger(lambda: connect(directory / "node/holder.sock")) == "EACCES"
    for file in ("kubeconfig", "cluster.json", "log", "store.db", "owner.lock"):
        assert stat.S_IMODE((directory / file).stat().st_mode) == 0o600, file
    owner = pathlib.Path(f"/proc/{cluster.pid()}")
    assert as_stranger(lambda: os.listdir(owner / "fd")) == "EACCES"
    assert as_stranger(lambda: os.listdir(owner / "root")) == "EACCES"
    assert as_stranger(lambda: (owner / "environ").read_text()) == "EACCES"
    assert as_stranger(lambda: os.kill(int(owner.name), 15)) == "EPERM"
    cluster.kubectl("delete", "pod", name, "--grace-period=0", "--force")
    cluster.kubectl("delete", "secret", "closed")


class Place:
    """Where an ordinary user's clusters go, and one that is started there: as root another user's."""

    def __init__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="trainshed-"))
        self.uid = 1500 if os.geteuid() == 0 else os.geteuid()
        self.give(self.home)
        self.name = "t" + uuid.uuid4().hex[:10]
        self.top = self.home / "state/trainshed"
        self.directory = self.top / "clusters" / self.name
        self.victim = self.home / "victim"
        self.victim.mkdir()
        (self.victim / "file").write_text(WORDS)
        self.give(self.victim, self.victim / "file")

    def give(self, *paths):
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def folder(self, path):
        """A directory of the user's, with all above it."""
        path.mkdir(parents=True)
        for one in [path, *path.parents]:
            if one != self.home and one.is_relative_to(self.home):
                self.give(one)
        return path

    def trainshed(self, *words, timeout=30):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state")}
        who = {} if os.geteuid() != 0 else {"user": self.uid, "group": self.uid, "extra_groups": []}
        return subprocess.run([BINARY, *words, "--name", self.name], capture_output=True, text=True, timeout=timeout,
                              env=env, cwd="/", stdin=subprocess.DEVNULL, **who)

    def untouched(self):
        return {str(path.relative_to(self.victim)): path.read_text() for path in self.victim.rglob("*") if path.is_file()
                } == {"file": WORDS} and sorted(os.listdir(self.victim)) == ["file"]


@pytest.fixture
def place():
    made = Place()
    yield made
    made.trainshed("down", timeout=70)
    shutil.rmtree(made.home)


def symlink(place, path, target):
    path.symlink_to(target)
    place.give(path)


def hard_link(place, path, target):
    path.hardlink_to(target)


def fifo(place, path, target):
    os.mkfifo(path, 0o600)
    place.give(path)


def plain(place, path, target):
    path.write_text("")
    place.give(path)


@pytest.mark.parametrize("kind", [symlink, fifo, plain], ids=lambda kind: kind.__name__)
def test_what_is_no_directory_of_ours_is_refused(place, kind):
    place.folder(place.directory.parent)
    kind(place, place.directory, place.victim)
    done = place.trainshed("up", "-d")
    assert done.returncode == 3, done.stderr
    assert f"{place.directory} is not a directory owned by uid {place.uid}" in done.stderr
    assert place.untouched()
    assert stat.S_IMODE(place.victim.stat().st_mode) == 0o755


@as_root
@pytest.mark.parametrize("level", ["top", "clusters", "cluster"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_another_user_has_made_is_refused(place, level, linked):
    """At each level that is ours: a directory of theirs, and a link of theirs to one of our own."""
    path = {"top": place.top, "clusters": place.top / "clusters", "cluster": place.directory}[level]
    place.folder(path.parent)
    if linked:
        path.symlink_to(place.victim)
    else:
        path.mkdir(mode=0o777)
        path.chmod(0o777)
    os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    done = place.trainshed("up", "-d")
    assert done.returncode == 3, done.stderr
    assert f"{path} is not a directory owned by uid {place.uid}" in done.stderr
    assert place.untouched()


def test_a_directory_that_is_open_to_others_is_closed(place):
    for folder in (place.folder(place.directory), place.top / "clusters", place.top):
        folder.chmod(0o777)
    done = place.trainshed("up", "-d")
    assert done.returncode == 0, done.stderr
    modes = [stat.S_IMODE(folder.stat().st_mode) for folder in (place.directory, place.top / "clusters", place.top)]
    assert modes == [0o700, 0o755, 0o755]


@pytest.mark.parametrize("kind", [symlink, fifo], ids=lambda kind: kind.__name__)
def test_a_lock_that_is_no_file_of_ours_is_refused(place, kind):
    place.folder(place.directory)
    kind(place, place.directory / "owner.lock", place.victim / "file")
    done = place.trainshed("up", "-d")
    assert done.returncode == 3, done.stderr
    assert f"{place.directory}/owner.lock is not a file owned by uid {place.uid}" in done.stderr
    assert place.untouched()


@pytest.mark.parametrize("kind", [symlink, hard_link, fifo], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", ["log", "kubeconfig", "kubeconfig.new", "cluster.json", "cluster.json.new", "ending"])
def test_links_and_pipes_at_our_files_are_replaced(place, kind, name):
    """Whatever is there, the file is new and ours, nobody waits for a pipe, and what a link named is as it was."""
    place.folder(place.directory)
    kind(place, place.directory / name, place.victim / "file")
    done = place.trainshed("up", "-d")
    assert done.returncode == 0, done.stderr
    assert place.untouched()
    for file in ("log", "kubeconfig", "cluster.json"):
        info = (place.directory / file).lstat()
        assert stat.S_ISREG(info.st_mode) and info.st_nlink == 1, file
        assert (info.st_uid, stat.S_IMODE(info.st_mode)) == (place.uid, 0o600), file
    assert place.trainshed("down").returncode == 0
    assert place.untouched()


@pytest.mark.parametrize("name", ["node", "node/holder.sock", "node/specs"])
@pytest.mark.parametrize("kind", [symlink, fifo], ids=lambda kind: kind.__name__)
def test_what_is_at_the_pods_files_and_socket_goes(place, kind, name):
    path = place.directory / name
    place.folder(path.parent)
    kind(place, path, place.victim)
    done = place.trainshed("up", "-d")
    assert done.returncode == 0, done.stderr
    assert stat.S_ISSOCK((place.directory / "node/holder.sock").lstat().st_mode)
    assert place.untouched()
    assert place.trainshed("down").returncode == 0
    assert place.untouched()


def test_a_sweep_follows_no_link(place):
    """A link among the clusters to a directory that looks like one: nothing behind it is removed."""
    inner = place.folder(place.victim / "node")
    (place.victim / "owner.lock").write_text("")
    place.give(place.victim / "owner.lock")
    (inner / "kept").write_text(WORDS)
    place.folder(place.top / "clusters")
    symlink(place, place.top / "clusters/linked", place.victim)
    assert place.trainshed("up", "-d").returncode == 0
    assert place.trainshed("down").returncode == 0
    assert (inner / "kept").read_text() == WORDS
    shutil.rmtree(inner)


class Bystander:
    """A process of this user that has nothing to do with any cluster."""

    def __enter__(self):
        self.process = subprocess.Popen(["sleep", "600"])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def lives(self):
        return self.process.poll() is None


@pytest.mark.parametrize("pid", ["bystander", "init"])
def test_down_signals_nobody_but_the_owner(pid):
    """cluster.json names a process that is another one by now: the lock, which somebody still holds, is not its."""
    import fcntl

    name = "t" + uuid.uuid4().hex[:10]
    directory = clusters_directory() / name
    with Bystander() as bystander, contextlib.ExitStack() as clean:
        directory.mkdir(parents=True, mode=0o700)
        clean.callback(shutil.rmtree, directory, ignore_errors=True)
        lock = clean.enter_context(open(directory / "owner.lock", "w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        claimed = bystander.process.pid if pid == "bystander" else 1
        (directory / "cluster.json").write_text(json.dumps({"name": name, "pid": claimed}))
        down = subprocess.Popen([BINARY, "down", "--name", name], stderr=subprocess.PIPE, text=True)
        # Made just before the owner is told.
        wait_until((directory / "ending").exists, 10, "down has begun")
        time.sleep(0.5)  # A signal would have ended the bystander by now.
        assert bystander.lives()
        lock.close()
        _, said = down.communicate(timeout=20)
        assert down.returncode == 0, said
        assert bystander.lives()
        assert not directory.exists()


def test_up_does_not_take_another_process_for_the_owner():
    """After a crash, with the id in use again, the name is free at once."""
    name = "t" + uuid.uuid4().hex[:10]
    directory = clusters_directory() / name
    with Bystander() as bystander:
        directory.mkdir(parents=True, mode=0o700)
        (directory / "owner.lock").write_text("")
        (directory / "cluster.json").write_text(json.dumps({"name": name, "pid": bystander.process.pid}))
        done = subprocess.run([BINARY, "up", "-d", "--name", name], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        subprocess.run([BINARY, "down", "-q", "--name", name], check=True, timeout=30)
        assert bystander.lives()
