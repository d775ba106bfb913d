"""What a pod must not see or do."""

import contextlib
import json
import os
import pathlib
import re
import shlex
import tempfile
import uuid

import pytest
from pods import Pods, commands_with, container
from shed import Cluster, clusters_directory, processes_of

pytestmark = pytest.mark.kubectl

# What container runtimes leave to root: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
# net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap.
DEFAULT_CAPABILITIES = 0xA80425FB
SECRET = "only-for-its-own-pod-77aa"


@pytest.fixture(scope="module")
def marked():
    """A cluster whose user has a secret in the environment."""
    value = "marker" + uuid.uuid4().hex
    shed = Cluster(env={"AWS_SECRET_ACCESS_KEY": value}).up()
    shed.marker = value
    yield shed
    shed.down()
    assert shed.leftovers() == []


@pytest.fixture
def inside(marked):
    """Runs a pod that stays; gives its name and what runs a script in it."""
    pods = Pods(marked)

    def start(mark="", **spec):
        name = pods.add(container("main", f"while :; do sleep 0.05; done # {mark}"), **spec)
        pods.ready(name)
        return name, lambda script: marked.kubectl("exec", name, "--", "sh", "-c", script, check=False).stdout

    yield start
    marked.kubectl("delete", "pod", "--grace-period=0", "--force", *(pods.names or ["none"]), check=False)


@contextlib.contextmanager
def host_file(folder, text="a secret of this machine"):
    """A file that everybody may read, in a directory of this machine."""
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".trainshed-test-") as file:
        file.write(text)
        file.flush()
        os.chmod(file.name, 0o644)
        yield pathlib.Path(file.name)


def links_of(pid):
    return {int(link.name): os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()}


def first_of(mark):
    """This machine's ids of a container's main process and of its first process."""
    main = commands_with(mark)[0]
    return main, int(re.search(r"PPid:\s*(\d+)", pathlib.Path(f"/proc/{main}/status").read_text())[1])


def test_files_of_this_machines_users_are_not_there(inside):
    _, run = inside()
    with host_file(os.path.expanduser("~")) as home, host_file("/tmp") as tmp, host_file("/var/tmp") as var:
        for path in (home, tmp, var):
            tried = shlex.quote(str(path))
            text = run(f"cat {tried}; cat /proc/*/root{tried} /proc/*/cwd/{path.name}; ls -A {path.parent}")
            assert "a secret of this machine" not in text and path.name not in text, text
    assert run("cat /etc/shadow") == ""
    assert run("ls -A ~ /home /root").split() == ["/home:", "/root:", "/root:"]
    assert run("touch /usr/x /etc/x /opt/x && echo written") == ""
    for folder in (".ssh", ".kube", ".aws"):
        assert run(f"ls -d ~/{folder} /root/{folder} {os.path.expanduser('~')}/{folder}") == ""


def test_the_clusters_own_directory_is_not_there(marked, inside):
    _, run = inside()
    directory = clusters_directory() / marked.name
    assert (directory / "kubeconfig").exists()
    assert run(f"ls -d {directory} {directory.parent} {directory}/kubeconfig; ls /proc/*/root{directory}") == ""
    # /proc/mounts names it, as a container runtime's does; no path leads there.
    assert run(f"find / -xdev -name {marked.name} 2>/dev/null") == ""


def test_the_root_of_every_process_is_the_pods_own(inside):
    _, run = inside()
    own = run("stat -c %d:%i /").strip()
    for line in run("for p in /proc/[0-9]*; do stat -Lc '%d:%i' $p/root/. $p/cwd/.; done 2>/dev/null").splitlines():
        assert line == own


@pytest.mark.parametrize("user", [0, 1000])
def test_privileges_are_dropped(inside, user):
    mark = "m" + uuid.uuid4().hex
    _, run = inside(mark, securityContext={"runAsUser": user})
    statuses = [run("cat /proc/self/status"), run("cat /proc/2/status")]
    statuses.append(pathlib.Path(f"/proc/{first_of(mark)[0]}/status").read_text())
    for status in statuses:
        fields = dict(re.findall(r"^(\w+):\s*(\S+)", status, re.MULTILINE))
        assert fields["NoNewPrivs"] == "1"
        assert int(fields["CapBnd"], 16) == DEFAULT_CAPABILITIES
        held = DEFAULT_CAPABILITIES if user == 0 else 0
        assert [int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [held, held, 0, 0]


def test_a_container_holds_no_descriptor_of_anybody_else(inside):
    mark, other = "m" + uuid.uuid4().hex, "m" + uuid.uuid4().hex
    inside(other)  # whose shared memory and streams the next one's first process must not hold
    name, run = inside(mark)
    main, first = first_of(mark)
    assert sorted(links_of(main)) == [0, 1, 2]
    assert links_of(main)[0] == "/dev/null"
    # Its first process writes the log and the exit code; nothing else is open.
    held = links_of(first)
    assert [held.pop(number) for number in (0, 1, 2)] == ["/dev/null"] * 3
    kinds = sorted(re.sub(r":\[\d+\]", "", text).rsplit("/logs/", 1)[-1] for text in held.values())
    assert kinds == ["anon_inode:[signalfd]", "main", "main/0.log", "pipe", "pipe"]
    listed = run("ls /proc/self/fd").split()
    assert listed == ["0", "1", "2", "3"]  # ls reads the directory by the last


def test_a_container_that_is_given_input_holds_only_its_own(inside, marked):
    mark = "m" + uuid.uuid4().hex
    main = container("main", f"read x; : {mark}", stdin=True)
    pods = Pods(marked)
    name = pods.add(main)
    pods.ready(name)
    held = list(links_of(first_of(mark)[1]).values())
    pods.cluster.kubectl("delete", "pod", name, "--grace-period=0", "--force")
    assert not [text for text in held if text.startswith(("socket:", "/dev/shm", "/dev/pts"))], held


def test_a_pod_has_its_own_hostname_and_processes(inside):
    name, run = inside()
    assert run("hostname").strip() == name
    assert int(run("ls /proc | grep -c ^[0-9]")) < 8


def test_no_variable_of_the_user_reaches_a_pod(marked, inside):
    mark = "m" + uuid.uuid4().hex
    _, run = inside(mark)
    assert marked.marker not in run("env; cat /proc/*/environ")
    assert marked.marker not in run("tr '\\0' '\\n' < /proc/1/environ")
    found = [pid for pid, _ in processes_of(marked.name) if marked.marker in environment_of(pid)]
    assert found == [marked.pid()], "only trainshed itself has its user's variables"
    assert marked.marker not in environment_of(first_of(mark)[0])


def environment_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/environ").read_text()
    return ""


def test_the_token_is_in_no_arguments_and_no_environment(marked, inside):
    mark = "m" + uuid.uuid4().hex
    _, run = inside(mark)
    token = marked.kubectl("config", "view", "--raw", "-o", "jsonpath={.users[0].user.token}").stdout
    assert len(token) >= 32
    assert token not in run("env; cat /proc/*/environ /proc/*/cmdline")
    seen = 0
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            text = (entry / "cmdline").read_bytes()
            seen += mark.encode() in text
            assert token.encode() not in text, text
            assert token not in environment_of(entry.name), entry
    assert seen >= 1, "the processes looked at include the pod's"


def test_another_pods_secrets_are_out_of_reach(marked, inside):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs"}, "stringData": {"key": SECRET}}
    marked.kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    pods = Pods(marked)
    owner = pods.add(container("main", "cp /theirs/key /dev/shm/k; while :; do sleep 0.05; done",
                               volumeMounts=[{"name": "v", "mountPath": "/theirs"}]),
                     volumes=[{"name": "v", "secret": {"secretName": "theirs"}}])
    pods.ready(owner)
    places = "/dev/shm /tmp /var /run /mnt /home /root /proc/[0-9]*/root/dev/shm /proc/[0-9]*/environ /theirs"
    look = f"grep -rls {SECRET[:-1]}[{SECRET[-1]}] {places}"  # a pattern that is not in its own arguments
    found = marked.kubectl("exec", owner, "--", "sh", "-c", look, check=False).stdout
    assert "/dev/shm/k" in found and "/theirs/" in found, "the control: its own pod finds it"
    _, run = inside()
    assert run(look) == ""
    marked.kubectl("delete", "pod", owner, "--grace-period=0", "--force")


def test_the_kernels_own_files_say_nothing(inside):
    _, run = inside()
    for name in ("kallsyms", "kcore", "keys", "timer_list", "sched_debug"):
        assert run(f"head -c 4096 /proc/{name} 2>/dev/null") == "", name
    assert run("ls /dev").split() == ["fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin",
                                     "stdout", "termination-log", "tty", "urandom", "zero"]
    assert run("echo 1 > /proc/sys/kernel/panic && echo written; echo b > /proc/sysrq-trigger && echo written") == ""
    assert run("mount -t tmpfs none /mnt && echo mounted; unshare -m true && echo unshared") == ""
    if pathlib.Path("/proc/sys/kernel/dmesg_restrict").read_text().strip() == "0":
        pytest.skip("THIS MACHINE SHOWS ITS KERNEL LOG TO EVERYONE: kernel.dmesg_restrict is 0")
    assert run("dmesg") == ""


def test_parents_of_a_mount_point_are_the_pods_own(marked):
    """A volume at /x/y brings no file of this machine's /x."""
    if os.geteuid() != 0:
        pytest.skip("ONLY ROOT CAN MAKE A DIRECTORY AT THE TOP OF THIS MACHINE")
    with tempfile.TemporaryDirectory(dir="/", prefix="trainshed-test-") as top:
        os.chmod(top, 0o755)
        (pathlib.Path(top) / "of-this-machine").write_text("secret")
        (pathlib.Path(top) / "deep").mkdir()
        (pathlib.Path(top) / "deep/too").write_text("secret")
        mounts = [{"name": "v", "mountPath": f"{top}/deep/volume"}]
        pods = Pods(marked)
        name = pods.add(container("main", f"cd {top} && find . | sort; touch deep/volume/x && echo ok", volumeMounts=mounts),
                        volumes=[{"name": "v", "emptyDir": {}}])
        pods.phase(name, "Succeeded", "Failed")
        text = pods.log(name)
        marked.kubectl("delete", "pod", name, "--grace-period=0", "--force")
        assert text.split() == [".", "./deep", "./deep/volume", "ok"]
