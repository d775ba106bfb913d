"""How containers end, by themselves and by force, and what is said of it."""

import json
import os
import pathlib
import uuid

import pytest
from pods import UNTIL_TERM, commands_with, container
from shed import processes_of, wait_until

pytestmark = pytest.mark.kubectl



def test_a_termination_message_is_the_end_of_the_file_or_of_the_log(pods):
    long = container("main", "for i in $(seq 3000); do echo $i; done > /tmp/why", terminationMessagePath="/tmp/why")
    logged = container("logged", "seq 200; exit 1", terminationMessagePolicy="FallbackToLogsOnError")
    name = pods.add(long, logged)
    pods.phase(name, "Failed")
    message = pods.ended(name)["message"]
    assert len(message) == 4096 and message.endswith("\n2999\n3000\n")
    assert pods.ended(name, "logged")["message"] == "".join(f"{i}\n" for i in range(121, 201))


def test_a_detached_grandchild_that_ignores_the_signal_goes_with_its_container(pods):
    mark = "654" + str(int(uuid.uuid4().hex[:4], 16))
    name = pods.add(container("main", f"trap '' TERM; (setsid sh -c 'sleep {mark} & sleep {mark}' &); echo up; cat /dev/zero"
                                      " > /dev/null"), terminationGracePeriodSeconds=1)
    pods.logged(name, "up")
    wait_until(lambda: commands_with(mark), 10, "the grandchild runs")
    pods.cluster.kubectl("delete", "pod", name, timeout=20)
    assert commands_with(mark) == []


def test_a_pod_completes_though_a_grandchild_holds_its_log(pods):
    name = pods.add(container("main", "(setsid sh -c 'trap \"\" TERM HUP; sleep 600' &); echo out"))
    pods.phase(name, "Succeeded", seconds=10)
    assert pods.log(name) == "out\n"
    assert pods.ended(name)["exitCode"] == 0


def sandboxes_of(cluster):
    """The processes that hold pods' namespaces: podinit's own, in another UTS namespace than their parent, the holder."""
    found = set()
    for pid, text in processes_of(cluster.name):
        try:
            parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            uts, pids = (os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("uts", "pid"))
            other = os.readlink(f"/proc/{parent}/ns/uts") != uts and os.readlink(f"/proc/{parent}/ns/pid") == pids
        except OSError:
            continue
        if "podinit holder" in text and other:
            found.add(pid)
    return found


def test_a_killed_sandbox_ends_its_containers_and_the_policy_applies(pods):
    before = sandboxes_of(pods.cluster)
    name = pods.add(container("main", UNTIL_TERM), restartPolicy="OnFailure")
    pods.logged(name, "up")
    (sandbox,) = sandboxes_of(pods.cluster) - before
    os.kill(sandbox, 9)
    ended = wait_until(lambda: pods.ended(name, last=True), 10, "the end is told")
    assert (ended["exitCode"], ended["reason"]) == (255, "ContainerStatusUnknown")
    pods.ready(name)
    assert pods.status(name)["containerStatuses"][0]["restartCount"] == 1
    assert any(text.startswith("SandboxChanged: ") for text in pods.events(name))


def test_a_killed_main_process_is_137_and_restarts(pods):
    name = pods.add(container("main", UNTIL_TERM), restartPolicy="Always")
    pods.logged(name, "up")
    # The container's end may overtake the command's.
    pods.cluster.kubectl("exec", name, "--", "sh", "-c", "kill -9 2", check=False)
    ended = wait_until(lambda: pods.ended(name, last=True), 10, "the end is told")
    assert (ended["exitCode"], ended["reason"]) == (137, "Error")
    pods.ready(name)


def test_a_worker_whose_sshd_cannot_start_is_explained(cluster):
    runtime = cluster.get("clustertrainingruntime", "mlx-distributed")
    runtime["metadata"] = {"name": "bad-sshd", "labels": runtime["metadata"].get("labels", {})}
    for job in runtime["spec"]["template"]["spec"]["replicatedJobs"]:
        for one in job["template"]["spec"]["template"]["spec"]["containers"]:
            if one.get("command", [""])[0].endswith("sshd"):
                one["args"] = ["-De", "-f", "/proc/version"]
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(runtime))
    job = {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "metadata": {"name": "sshless"},
           "spec": {"runtimeRef": {"name": "bad-sshd"}, "trainer": {"numNodes": 2, "command": ["mpirun", "hostname"]}}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(job))

    def waits():
        items = cluster.get("pods", "-l", "jobset.sigs.k8s.io/jobset-name=sshless")["items"]
        states = [c["state"].get("waiting", {}).get("reason") for p in items for c in p["status"]["containerStatuses"]]
        return "CrashLoopBackOff" in states

    wait_until(waits, 30, "the worker backs off")
    jobs = [item["metadata"]["name"] for item in cluster.get("jobs")["items"]]
    assert "sshless-launcher-0" not in jobs and "sshless-node-0" in jobs
    found = cluster.why("sshless")
    assert found["first_failure"]["hint"].startswith("sshd exited 255: "), found
    assert "bad configuration options" in found["first_failure"]["hint"]
    cluster.kubectl("delete", "trainjob", "sshless")
    cluster.kubectl("delete", "clustertrainingruntime", "bad-sshd")
