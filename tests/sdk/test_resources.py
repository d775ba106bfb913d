"""Limits that hold, and what is used: where this machine's control groups can be used."""

import json
import pathlib
import re
import subprocess
import time
import uuid

import pytest
from shed import BINARY, wait_until

pytestmark = pytest.mark.kubectl

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1},
}


BOMB = """
import errno, os, time
while True:
    try:
        os.fork()
    except OSError as error:
        print(errno.errorcode[error.errno])
        time.sleep(0.5)  # Every process of the bomb prints: not too much.
"""


def findings():
    words = [BINARY, "doctor", "-o", "json"]
    return {f["id"]: f for f in json.loads(subprocess.run(words, capture_output=True, text=True).stdout)}


def needs(resource):
    """Skips, loudly, what this machine cannot limit, with doctor's reason."""
    finding = findings()[f"resources-{resource}"]
    if finding["verdict"] != "ok":
        pytest.skip(f"NO {resource.upper()} LIMITS ON THIS MACHINE: {finding['found']}")


def start(cluster, script, image="busybox", **limits):
    """A pod that runs `script` in a shell with these limits; its name."""
    name = "r" + uuid.uuid4().hex[:8]
    container = {"name": "c", "image": image, "command": ["sh", "-c", script]}
    container["resources"] = {"limits": limits}
    pod = dict(POD, metadata={"name": name, "labels": {"app": name}})
    pod["spec"] = dict(POD["spec"], containers=[container])
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    return name


def status_of(cluster, pod):
    return cluster.get("pod", pod)["status"]


def ended(cluster, pod):
    wait_until(lambda: status_of(cluster, pod)["phase"] in ("Succeeded", "Failed"), 30, pod)
    return status_of(cluster, pod)["containerStatuses"][0]["state"]["terminated"]


def running(cluster, pod):
    wait_until(lambda: status_of(cluster, pod)["phase"] == "Running", 30, pod)


def group_files(cluster, pod, name):
    """The files called `name` of the groups of the pod's container."""
    uid = cluster.get("pod", pod)["metadata"]["uid"]
    return list(pathlib.Path("/sys/fs/cgroup").rglob(f"trainshed-{cluster.name}.*/**/{uid}/c.0/{name}"))


def test_a_container_over_its_memory_limit_is_oom_killed_and_nobody_else(cluster):
    needs("memory")
    beside = start(cluster, "sleep 60", memory="64Mi")
    running(cluster, beside)
    eater = start(cluster, "exec python3 -c 'x = bytearray(256 << 20); print(len(x))'", "python", memory="64Mi")
    end = ended(cluster, eater)
    assert (end["reason"], end["exitCode"]) == ("OOMKilled", 137), end
    assert "OOMKilled" in cluster.kubectl("get", "pod", eater).stdout
    assert status_of(cluster, beside)["phase"] == "Running"
    assert [n["status"]["conditions"][-1]["status"] for n in cluster.get("nodes")["items"]] == ["True", "True"]
    assert "NotEnforced" not in cluster.kubectl("get", "events").stdout
    cluster.kubectl("delete", "pod", eater, beside, "--now")


def test_a_container_within_its_memory_limit_is_left_alone(cluster):
    needs("memory")
    pod = start(cluster, "exec python3 -c 'x = bytearray(32 << 20); print(len(x))'", "python", memory="256Mi")
    assert ended(cluster, pod)["reason"] == "Completed"
    cluster.kubectl("delete", "pod", pod)


def test_a_container_that_a_signal_killed_is_not_oom_killed(cluster):
    pod = start(cluster, "kill -9 $$$$", memory="256Mi")
    end = ended(cluster, pod)
    assert (end["reason"], end["exitCode"]) == ("Error", 137), end
    cluster.kubectl("delete", "pod", pod)


def test_a_cpu_limit_throttles(cluster):
    needs("cpu")
    pod = start(cluster, "while :; do :; done", cpu="100m")
    running(cluster, pod)

    def throttled():
        texts = [path.read_text() for path in group_files(cluster, pod, "cpu.stat")]
        return any(int(n) > 0 for text in texts for n in re.findall(r"^nr_throttled (\d+)", text, re.M))

    wait_until(throttled, 20, "nr_throttled")
    cluster.kubectl("delete", "pod", pod, "--now")


def test_a_fork_bomb_meets_the_pids_limit_and_goes_quickly(fresh_cluster):
    """F11: with a limit far below the default, for the sake of whoever shares this machine."""
    shed = fresh_cluster("--pod-pids-limit", "64")
    bomb = start(shed, f"exec python3 -u -c '{BOMB}'", "python")
    wait_until(lambda: "EAGAIN" in shed.kubectl("logs", bomb, check=False).stdout, 30, "EAGAIN in the pod")
    assert status_of(shed, bomb)["phase"] == "Running"
    assert len(shed.processes()) < 64 + 20
    began = time.monotonic()
    shed.kubectl("delete", "pod", bomb, "--grace-period=0", "--force")
    wait_until(lambda: len(shed.processes()) < 20, 10, "the bomb's end")
    assert time.monotonic() - began <= 2
    # Others still start.
    assert ended(shed, start(shed, "echo fine"))["reason"] == "Completed"


def test_probes_and_commands_run_in_the_containers_groups(cluster):
    needs("memory")
    pod = start(cluster, "touch /tmp/ready; sleep 60", memory="64Mi")
    running(cluster, pod)
    before = {path: path.read_text() for path in group_files(cluster, pod, "cgroup.procs")}
    assert before and all(len(text.split()) == 2 for text in before.values()), before  # sh and sleep, not podinit
    cluster.kubectl("delete", "pod", pod, "--now")
    wait_until(lambda: not any(path.exists() for path in before), 10, "the groups' end")


def test_top_shows_what_pods_and_nodes_use(cluster):
    busy = start(cluster, "while :; do :; done", memory="64Mi")
    idle = start(cluster, "exec python3 -c 'x = bytearray(40 << 20); import signal; signal.pause()'", "python")
    running(cluster, busy)
    running(cluster, idle)

    def rows(*words):
        lines = cluster.kubectl("top", *words, check=False).stdout.splitlines()
        return {line.split()[0]: line.split() for line in lines}

    def measured():
        table = rows("pods", "-l", f"app in ({busy},{idle})")
        return table if {busy, idle} <= table.keys() and table[idle][2] > "4" else None

    wait_until(measured, 20, "metrics of both")
    # The first rates are means since the start, which is long for a pod that has just begun to work.
    wait_until(lambda: int(rows("pods")[busy][1].rstrip("m")) > 100, 20, "the busy pod's cpu")
    table = rows("pods")
    assert table["NAME"] == ["NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert int(table[idle][1].rstrip("m")) < int(table[busy][1].rstrip("m"))
    assert 40 <= int(table[idle][2].removesuffix("Mi")) < 120, table
    containers = cluster.kubectl("top", "pods", busy, "--containers").stdout.splitlines()
    assert containers[0].split() == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert containers[1].split()[:2] == [busy, "c"]
    nodes = rows("nodes")
    assert nodes["NAME"] == ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    assert {"node-0", "node-1"} <= nodes.keys()
    assert sum(int(nodes[node][1].rstrip("m")) for node in ("node-0", "node-1")) > 100, nodes
    answer = json.loads(cluster.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods").stdout)
    assert answer["kind"] == "PodMetricsList"
    item = next(i for i in answer["items"] if i["metadata"]["name"] == idle)
    assert re.fullmatch(r"\d+[num]?", item["containers"][0]["usage"]["cpu"])
    assert re.fullmatch(r"\d+[KM]i", item["containers"][0]["usage"]["memory"])
    cluster.kubectl("delete", "pod", busy, idle, "--now")


def test_describe_node_sums_up_what_is_allocated(fresh_cluster):
    shed = fresh_cluster()
    pod = start(shed, "sleep 60", cpu="500m", memory="1Gi")
    running(shed, pod)
    text = shed.kubectl("describe", "node", "node-0").stdout
    row = next(line for line in text.splitlines() if line.split()[:2] == ["default", pod])
    assert row.split()[2:10] == ["500m", "(0%)", "500m", "(0%)", "1Gi", "(0%)", "1Gi", "(0%)"], row
    table = text[text.index("Allocated resources:"):]
    assert re.search(r"cpu +500m \(0%\) +500m \(0%\)", table), table
    assert re.search(r"memory +1Gi \(0%\) +1Gi \(0%\)", table), table
    assert re.search(r"nvidia.com/gpu +0 +0", table), table
    assert re.search(r"Capacity:\n +cpu: +64\n", text), text
