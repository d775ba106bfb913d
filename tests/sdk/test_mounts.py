"""Directories of this machine in pods: --mount, shared caches, and what a pod may change."""

import json
import os
import subprocess

import pytest
from shed import BINARY, readable

POD = """
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: %s
    command: [sh, -c, %s]
"""


def run(script, *flags, image="busybox", env=None):
    """What a pod's script prints on a cluster of its own."""
    done = subprocess.run(
        [BINARY, "run", "-", *flags], input=POD % (image, json.dumps(script)), capture_output=True, text=True,
        timeout=120, env=dict(os.environ, **(env or {})),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def shared(tmp_path):
    """A directory that pods, which are other users, can reach and read."""
    return readable(tmp_path)


def test_a_mount_is_read_only_unless_asked_otherwise(shared):
    (shared / "in").mkdir()
    (shared / "in/data").write_text("words\n")
    (shared / "out").mkdir(mode=0o777)
    (shared / "out").chmod(0o777)
    lines = run(
        f"cat {shared}/in/data; touch {shared}/in/x 2>/dev/null || echo refused; echo result > /results/r; cat /one",
        "--mount", f"{shared}/in", "--mount", f"{shared}/out:/results:rw", "--mount", f"{shared}/in/data:/one",
    )
    assert lines == ["words", "refused", "words"]
    assert (shared / "out/r").read_text() == "result\n"
    assert sorted(os.listdir(shared / "in")) == ["data"]


def test_a_tilde_is_the_home_of_the_pods_user(shared):
    (shared / "data").write_text("words\n")
    where = f"{shared}/data:~/.config/tool/data"
    assert run("echo ~; cat ~/.config/tool/data", "--mount", where) == ["/root", "words"]
    lines = run("cat /home/mpiuser/.config/tool/data", "--mount", where, image="mpioperator/base")
    assert lines == ["words"]


CACHE_SCRIPT = """
cd ~/.cache/huggingface
cat hub/refs/main; wc -c < hub/blob; wc -c < hub/named; ls
echo mine > hub/refs/main && cat hub/refs/main
echo new > hub/added && rm hub/blob && ls hub | sort | tr '\\n' ' '
"""


@pytest.mark.parametrize("image", ["busybox", "mpioperator/base"])
def test_a_pod_may_change_what_it_sees_of_the_hugging_face_cache(shared, image):
    (shared / "hub/refs").mkdir(parents=True)
    (shared / "hub/refs/main").write_text("commit\n")
    (shared / "hub/blob").write_bytes(b"x" * 100_000)
    (shared / "hub/named").symlink_to("blob")
    (shared / "token").write_text("secret")
    lines = run(CACHE_SCRIPT, image=image, env={"HF_HOME": str(shared)})
    assert lines == ["commit", "100000", "100000", "hub", "mine", "added named refs "]
    assert (shared / "hub/refs/main").read_text() == "commit\n"
    assert sorted(os.listdir(shared / "hub")) == ["blob", "named", "refs"]


def test_caches_are_not_shared_when_refused(shared):
    (shared / "hub").mkdir()
    lines = run("ls -A ~/.cache 2>/dev/null; echo end", "--no-share-caches", env={"HF_HOME": str(shared)})
    assert lines == ["end"]


def test_up_says_what_pods_see(fresh_cluster, shared):
    (shared / "hub").mkdir()
    cluster = fresh_cluster("--mount", f"{shared}:/data:rw", env={"HF_HOME": str(shared)})
    assert f"{shared} at /data, writable" in cluster.said
    assert f"{shared} at ~/.cache/huggingface, changes stay in the pod" in cluster.said
    status = json.loads(cluster.run("status", "--name", cluster.name, "-o", "json").stdout)
    assert f"{shared} at /data, writable" in status["mounts"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's pods are strangers to all of its files")
def test_what_is_closed_to_pods_is_refused_by_name(shared):
    (shared / "closed").mkdir(mode=0o700)
    done = subprocess.run([BINARY, "up", "--mount", f"{shared}/closed"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"{shared}/closed is closed to pods" in done.stderr and "chmod o+rX" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's own files are open to its pods")
def test_a_cache_in_roots_closed_home_is_shared_all_the_same(shared):
    home = shared / "home"
    (home / ".cache/huggingface/hub").mkdir(parents=True)
    home.chmod(0o700)
    lines = run("ls ~/.cache/huggingface", env={"HOME": str(home), "HF_HOME": ""})
    assert lines == ["hub"]
