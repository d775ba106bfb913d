"""kubectl on every kind of the guide: get, describe, apply, patch, wait, delete, logs."""

import json

import pytest
from shed import ROOT, wait_until

pytestmark = pytest.mark.kubectl

JOB = """
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: {name}
spec:
  runtimeRef:
    name: mlx-distributed
  trainer:
    numNodes: 3
    command: ["mpirun", "hostname"]
"""


@pytest.fixture
def finished_job(cluster):
    cluster.kubectl("apply", "-f", "-", stdin=JOB.format(name="viakubectl"))
    cluster.kubectl("wait", "--for=condition=Complete", "trainjob/viakubectl", "--timeout=60s")
    yield "viakubectl"
    cluster.kubectl("delete", "trainjob", "viakubectl", "--ignore-not-found")


def test_a_trainjob_runs_and_every_kind_prints(cluster, finished_job):
    text = cluster.kubectl("get", "trainjobs").stdout
    assert text.splitlines()[0].split() == ["NAME", "STATE", "AGE"]
    assert "viakubectl" in text and "Complete" in text
    text = cluster.kubectl("get", "pods", "-o", "wide").stdout
    assert "viakubectl-launcher-0-0-" in text and "Completed" in text
    for kind in ("jobsets", "jobs", "services", "configmaps", "secrets", "nodes", "namespaces", "events",
                 "clustertrainingruntimes", "serviceaccounts", "leases -A"):
        assert cluster.kubectl("get", *kind.split()).stdout.startswith(("NAME", "NAMESPACE", "LAST SEEN")), kind
    log = cluster.kubectl("logs", f"job/{finished_job}-launcher-0").stdout
    assert sorted(line for line in log.splitlines() if line.startswith(finished_job)) == [
        f"{finished_job}-launcher-0-0", f"{finished_job}-node-0-0", f"{finished_job}-node-0-1"]


def test_describe_shows_conditions_and_events(cluster, finished_job):
    text = cluster.kubectl("describe", "trainjob", finished_job).stdout
    assert "jobset completed successfully" in text
    pod = cluster.get("pods", "-l", f"job-name={finished_job}-launcher-0")["items"][0]["metadata"]["name"]
    text = cluster.kubectl("describe", "pod", pod).stdout
    assert "Successfully assigned" in text and "Started" in text
    assert "Capacity" in cluster.kubectl("describe", "node").stdout


def test_deleting_a_trainjob_takes_everything_it_made(cluster):
    cluster.kubectl("apply", "-f", "-", stdin=JOB.format(name="goes"))
    cluster.kubectl("wait", "--for=condition=Complete", "trainjob/goes", "--timeout=60s")
    cluster.kubectl("delete", "trainjob", "goes")

    def left():
        kinds = "jobsets,jobs,pods,secrets,services,configmaps"
        return [o["metadata"]["name"] for o in cluster.get(kinds)["items"] if o["metadata"]["name"].startswith("goes")]

    wait_until(lambda: not left(), 40, "everything the TrainJob made is gone")


def test_the_guides_patch_applies_to_the_runtime(cluster):
    patch = [
        {"op": "add",
         "path": "/spec/template/spec/replicatedJobs/0/template/spec/template/spec/containers/0/resources",
         "value": {"limits": {"nvidia.com/gpu": "1"}}},
        {"op": "add",
         "path": "/spec/template/spec/replicatedJobs/1/template/spec/template/spec/containers/0/resources",
         "value": {"limits": {"nvidia.com/gpu": "1"}}},
    ]
    out = cluster.kubectl("patch", "clustertrainingruntime", "mlx-distributed", "--type=json", "-p",
                          json.dumps(patch)).stdout
    assert out == "clustertrainingruntime.trainer.kubeflow.org/mlx-distributed patched\n"
    undo = [{"op": "remove", "path": p["path"]} for p in patch]
    cluster.kubectl("patch", "clustertrainingruntime", "mlx-distributed", "--type=json", "-p", json.dumps(undo))


def test_apply_is_idempotent_and_changes_are_patched(cluster):
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c1}\ndata: {a: '%s'}\n"
    assert "created" in cluster.kubectl("apply", "-f", "-", stdin=manifest % 1).stdout
    assert "unchanged" in cluster.kubectl("apply", "-f", "-", stdin=manifest % 1).stdout
    assert "configured" in cluster.kubectl("apply", "-f", "-", stdin=manifest % 2).stdout
    assert cluster.get("configmap", "c1")["data"] == {"a": "2"}
    assert "serverside-applied" in cluster.kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest % 3).stdout
    assert "deleted" in cluster.kubectl("delete", "configmap", "c1").stdout


def test_mistakes_get_the_servers_words(cluster):
    missing = cluster.kubectl("get", "trainjob", "nope", check=False)
    assert missing.returncode == 1
    assert 'trainjobs.trainer.kubeflow.org "nope" not found' in missing.stderr
    bad = cluster.kubectl("apply", "-f", "-", stdin=JOB.format(name="bad").replace("mlx-distributed", "none"),
                          check=False)
    assert bad.returncode == 1
    assert 'admission webhook "validator.trainjob.trainer.kubeflow.org" denied the request' in bad.stderr
    unknown = cluster.kubectl("apply", "-f", "-", stdin=JOB.format(name="bad") + "  colour: blue\n", check=False)
    assert unknown.returncode == 1 and "colour" in unknown.stderr


def test_the_guides_manifests_are_valid(cluster):
    for path in sorted((ROOT / "scenarios/guide").glob("*.yaml")):
        cluster.kubectl("apply", "--dry-run=server", "-f", str(path))
