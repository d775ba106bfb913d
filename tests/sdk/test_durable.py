"""A detached cluster's state outlives its process, however that ends; `down` removes it, and `--store FILE` keeps it."""

import base64
import http.client
import json
import random
import signal
import ssl
import threading

import pytest
import yaml
from shed import Cluster, processes_in, processes_of, wait_until

POD = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  restartPolicy: %s
  containers:
  - {name: main, image: busybox, command: [sleep, "1000"]}
"""
KILLS = 8


def gone(shed):
    return not processes_of(shed.name) and not processes_in(shed.namespaces)


def end(shed, number=signal.SIGKILL):
    shed.kill(number)
    wait_until(lambda: gone(shed), 20, "every process of the cluster has ended")


@pytest.fixture
def shed():
    cluster = Cluster()
    yield cluster
    cluster.run("down", "--name", cluster.name)
    assert cluster.leftovers() == []


def identity(thing):
    return thing["metadata"]["uid"], thing["metadata"]["resourceVersion"]


def ended(pod):
    states = pod["status"].get("containerStatuses", [{}])[0]
    return {**states.get("lastState", {}), **states.get("state", {})}.get("terminated")


def test_a_killed_cluster_goes_on(shed):
    shed.up()
    kubeconfig = shed.kubeconfig.read_text()
    shed.kubectl("create", "configmap", "kept", "--from-literal=a=1")
    shed.kubectl("create", "configmap", "removed")
    shed.kubectl("delete", "configmap", "removed")
    shed.kubectl("apply", "-f", "-", stdin=POD % ("again", "Always") + "---" + POD % ("once", "Never"))
    shed.kubectl("wait", "--for=condition=Ready", "pod/again", "pod/once", "--timeout=30s")
    kept, pod = shed.get("configmap", "kept"), shed.get("pod", "again")
    end(shed)
    other = shed.run("up", "--name", shed.name, check=False)
    assert other.returncode == 4 and "has state of an earlier run" in other.stderr, other.stderr

    shed.up()
    assert "objects of an earlier run" in shed.said
    assert shed.kubeconfig.read_text() == kubeconfig
    assert identity(shed.get("configmap", "kept")) == identity(kept)
    assert shed.kubectl("get", "configmap", "removed", check=False).returncode == 1
    wait_until(lambda: shed.get("pod", "once")["status"]["phase"] == "Failed", 30, "the pod that is not restarted fails")
    assert ended(shed.get("pod", "once"))["exitCode"] == 255
    wait_until(lambda: shed.get("pod", "again")["status"]["containerStatuses"][0]["restartCount"] == 1, 30,
               "the container is restarted")
    shed.kubectl("wait", "--for=condition=Ready", "pod/again", "--timeout=30s")
    again = shed.get("pod", "again")
    assert again["metadata"]["uid"] == pod["metadata"]["uid"]
    assert ended(again)["reason"] == "ContainerStatusUnknown"


def test_a_terminated_cluster_keeps_its_state_until_down(shed):
    shed.up()
    shed.kubectl("create", "configmap", "kept")
    end(shed, signal.SIGTERM)
    shed.up()
    shed.kubectl("get", "configmap", "kept")
    end(shed)
    said = shed.run("down", "--name", shed.name).stderr
    assert "the state it had kept is removed" in said
    assert shed.leftovers() == []


def test_a_file_outlives_down_and_has_one_cluster(tmp_path):
    file = tmp_path / "state.db"
    first = Cluster("--store", str(file), "--nodes", "2").up()
    first.kubectl("create", "configmap", "kept")
    assert json.loads(first.run("status", "--name", first.name, "-o", "json").stdout)["store"] == str(file)
    second = Cluster("--store", str(file))
    refused = second.run("up", "-d", "--name", second.name, *second.flags, check=False)
    assert refused.returncode == 4 and f"pid {first.pid()}" in refused.stderr, refused.stderr
    kept = first.get("configmap", "kept")
    first.down()
    assert first.leftovers() == []
    assert first.run("store", "check", str(file)).returncode == 0

    second.up()
    assert identity(second.get("configmap", "kept")) == identity(kept)
    assert [n["metadata"]["name"] for n in second.get("nodes")["items"]] == ["node-0"]
    second.down()
    assert second.leftovers() == []


def test_a_damaged_file_is_refused_and_repaired(tmp_path):
    file = tmp_path / "state.db"
    first = Cluster("--store", str(file)).up()
    for name in ("one", "two"):
        first.kubectl("create", "configmap", f"name-{name}")
    first.down()
    file.write_bytes(file.read_bytes().replace(b'"name":"name-one"', b'"name":"name-onf"'))

    second = Cluster("--store", str(file))
    refused = second.run("up", "-d", "--name", second.name, *second.flags, check=False)
    assert refused.returncode == 3, refused.stderr
    assert "store corrupt at" in refused.stderr and f"trainshed store repair {file}" in refused.stderr
    assert second.run("store", "check", str(file), check=False).returncode == 1
    assert "1 damaged" in second.run("store", "repair", str(file)).stderr
    second.up()
    second.kubectl("get", "configmap", "name-two")
    assert second.kubectl("get", "configmap", "name-one", check=False).returncode == 1
    second.down()


class Writer(threading.Thread):
    """Makes ConfigMaps one after another until the server goes; `acknowledged` has name -> (uid, resourceVersion)."""

    def __init__(self, shed, prefix, enough):
        super().__init__()
        config = yaml.safe_load(shed.kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.token = config["users"][0]["user"]["token"]
        self.connection = http.client.HTTPSConnection(cluster["server"].removeprefix("https://"), timeout=30,
                                                      context=ssl.create_default_context(cadata=authority))
        self.prefix, self.enough, self.acknowledged = prefix, enough, {}
        self.tried = None
        self.has_enough = threading.Event()

    def run(self):
        for i in range(1_000_000):
            name = f"{self.prefix}-{i}"
            body = json.dumps({"metadata": {"name": name}, "data": {"a": "x" * 500}})
            self.tried = name
            try:
                self.connection.request("POST", "/api/v1/namespaces/default/configmaps", body,
                                        {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
                answer = self.connection.getresponse()
                made = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                break
            assert answer.status == 201, made
            self.acknowledged[name] = identity(made)
            if i >= self.enough:
                self.has_enough.set()
        self.has_enough.set()


def test_no_acknowledged_write_is_lost_by_kills(shed):
    newest, everything = 0, {}
    for i in range(KILLS):
        shed.up()
        writers = [Writer(shed, f"w{i}-{k}", random.randrange(60)) for k in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.has_enough.wait(30)
        end(shed)
        for writer in writers:
            writer.join()
        shed.up()
        listed = shed.get("configmaps")
        found = {thing["metadata"]["name"]: identity(thing) for thing in listed["items"]}
        for writer in writers:
            everything.update(writer.acknowledged)
            if writer.tried in found:  # done, though nobody was told
                everything[writer.tried] = found[writer.tried]
        assert {name: found.get(name) for name in everything} == everything
        assert not [name for name in found if name.startswith("w") and name not in everything]
        version = int(shed.kubectl("get", "--raw", "/api/v1/configmaps?limit=1").stdout.split('"resourceVersion":"')[1].split('"')[0])
        assert version > newest
        newest = version
        end(shed)
    assert len(everything) > KILLS
