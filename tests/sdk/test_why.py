"""`trainshed why` and `logs --attempt`: the first cause, also when its pod is long gone."""

import json
import re

import pytest
from shed import wait_until

pytestmark = pytest.mark.kubectl

JOB = """
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {{name: {name}}}
spec:
  runtimeRef: {{name: mlx-distributed}}
  trainer: {{numNodes: {nodes}, command: {command}, resourcesPerNode: {{limits: {{nvidia.com/gpu: {gpus}}}}}}}
"""


@pytest.fixture(scope="module")
def fast():
    """A cluster whose back-offs take no time."""
    from shed import Cluster

    shed = Cluster("--nodes", "1", "--time-scale", "100").up()
    yield shed
    shed.down()
    assert shed.leftovers() == []


def start(cluster, name, nodes, command, gpus=0):
    cluster.kubectl("apply", "-f", "-",
                    stdin=JOB.format(name=name, nodes=nodes, command=json.dumps(command), gpus=gpus))


def test_a_killed_rank_is_named_after_its_pods_are_gone(fast):
    kill = "[ $OMPI_COMM_WORLD_RANK != 1 ] || { echo last words; kill -9 $$$$; }; sleep 60"
    start(fast, "killed", 3, ["mpirun", "bash", "-c", kill])
    fast.kubectl("wait", "--for=condition=Failed", "trainjob/killed", "--timeout=120s")
    wait_until(lambda: not fast.get("pods", "-l", "jobset.sigs.k8s.io/jobset-name=killed")["items"], 30, "no pods")
    found = fast.why("killed")
    assert [link["kind"] for link in found["chain"]] == ["TrainJob", "JobSet", "Job", "Pod"]
    assert found["chain"][2]["reason"] == "BackoffLimitExceeded"
    first = found["first_failure"]
    assert (first["signal"], first["exit_code"]) == (9, 137), first
    assert first["pod"].startswith("killed-launcher-0-0-")
    assert (first["attempt"], first["attempts"]) == (1, 7)
    assert first["log_tail"] and "killed" in first["hint"]
    logs = [fast.run("logs", "killed", "--attempt", str(n), "--name", fast.name).stdout for n in range(1, 8)]
    # The last attempt was ended early: with it the Job had reached its limit.
    assert all("last words" in text for text in logs[:6])
    # Open MPI 4.1 does not name the rank every time: mpirun may end before it has heard.
    named = "process rank 1" in logs[0]
    assert first["rank"] == (1 if named else None), (first, logs[0])
    assert first.get("node", "").startswith("killed-node-0-" if named else "")
    beyond = fast.run("logs", "killed", "--attempt", "8", "--name", fast.name, check=False)
    assert beyond.returncode == 2 and "has 7 attempts" in beyond.stderr


def test_a_waiting_job_says_what_it_waits_for(fast):
    start(fast, "waits", 2, ["mpirun", "hostname"], gpus=9)
    found = wait_until(lambda: (f := fast.why("waits"))["state"] == "waiting" and "Insufficient" in str(f) and f,
                       60, "a reason to wait")
    assert any(link["reason"] == "Unschedulable" for link in found["chain"]), found
    fast.kubectl("delete", "trainjob", "waits")


def test_ranks_that_all_ran_in_one_place_are_reported(fast):
    """As Open MPI 5 does, which ignores the variable that names the hostfile: kubeflow/trainer#4028."""
    alone = ["env", "-u", "OMPI_MCA_orte_default_hostfile", "mpirun", "--oversubscribe", "-n", "3", "hostname"]
    start(fast, "alone", 3, alone)
    fast.kubectl("wait", "--for=condition=Complete", "trainjob/alone", "--timeout=60s")
    found = wait_until(lambda: (f := fast.why("alone"))["chain"][-1]["reason"] == "RanksMissing" and f,
                       30, "the event RanksMissing")
    assert "alone-node-0-0.alone, alone-node-0-1.alone" in found["chain"][-1]["message"]
    assert "did not all run" in found["summary"]


def test_ranks_that_ran_everywhere_are_not(fast):
    start(fast, "all", 3, ["mpirun", "hostname"])
    fast.kubectl("wait", "--for=condition=Complete", "trainjob/all", "--timeout=60s")
    text = fast.run("why", "all", "--name", fast.name).stdout
    assert re.match(r"TrainJob all is complete\n", text), text
    events = fast.kubectl("get", "events", "--field-selector", "reason=RanksMissing").stdout
    assert "trainjob/all" not in events


def test_an_unknown_job_is_an_error(fast):
    done = fast.run("why", "nope", "--name", fast.name, check=False)
    assert done.returncode == 1
    assert 'trainjobs.trainer.kubeflow.org "nope" not found' in done.stderr
