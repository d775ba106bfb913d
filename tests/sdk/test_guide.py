"""The guide's examples, by the unmodified SDK: shapes and words as its text promises them."""

import random
import re

from conftest import client_for


def get_mlx_dist():
    import mlx.core as mx

    # Initialize MLX distributed backend.
    dist = mx.distributed.init()

    print("MLX Distributed Environment")
    print(f"WORLD_SIZE: {dist.size()}")
    print(f"RANK: {dist.rank()}")
    print(f"Device: {mx.default_device()}")


def describe_rank():
    import os
    import socket

    import mlx.core as mx

    dist = mx.distributed.init()
    namespace = os.stat("/proc/self/ns/net").st_ino
    ssh = os.environ.get("SSH_CONNECTION", "none").split()[0]
    print(f"rank={dist.rank()} size={dist.size()} host={socket.gethostname()} netns={namespace} ssh={ssh}")


def average_gradients():
    import mlx.core as mx
    import mlx.nn as nn

    dist = mx.distributed.init()
    n = dist.size()

    def gradient(rank):
        return mx.sin(mx.arange(1000, dtype=mx.float32) * (rank + 1))

    expected = sum((gradient(r) for r in range(1, n)), gradient(0)) / n
    by_sum = mx.distributed.all_sum(gradient(dist.rank())) / n
    by_nn = nn.average_gradients({"layer1": gradient(dist.rank()), "layer2": gradient(dist.rank()) * 2})

    def error(ours, theirs):
        return (mx.max(mx.abs(ours - theirs)) / mx.max(mx.abs(theirs))).item()

    worst = max(
        error(by_sum, expected), error(by_nn["layer1"], expected), error(by_nn["layer2"], expected * 2)
    )
    print(f"rank={dist.rank()} of={n} worst={worst:.3e}")


def run(client, func, num_nodes, **options):
    from kubeflow.trainer import CustomTrainer

    job = client.train(
        runtime=client.get_runtime("mlx-distributed"),
        trainer=CustomTrainer(func=func, num_nodes=num_nodes, **options),
    )
    client.wait_for_job_status(job, timeout=120)
    return job


def logs(client, job, step="node-0"):
    return "\n".join(client.get_job_logs(name=job, step=step))


def test_the_guide_prints_its_environment(client):
    job = run(client, get_mlx_dist, 3)
    text = logs(client, job)
    assert text.count("MLX Distributed Environment") == 3, text
    assert re.findall(r"WORLD_SIZE: (\d+)", text) == ["3", "3", "3"]
    assert sorted(re.findall(r"RANK: (\d+)", text)) == ["0", "1", "2"]
    assert len(re.findall(r"Device: Device\((?:c|g)pu, 0\)", text)) == 3
    assert job in [j.name for j in client.list_jobs()]
    assert client.get_job(job).status == "Complete"
    assert client.get_job_events(job) is not None
    client.delete_job(job)
    assert job not in [j.name for j in client.list_jobs()]


def test_the_runtimes_packages_are_listed(client, capsys):
    client.get_runtime_packages(runtime=client.get_runtime("mlx-distributed"))
    text = capsys.readouterr().out
    assert re.search(r"^Python: 3", text, re.M), text
    assert re.search(r"^mlx\s+0\.31\.2$", text, re.M), text
    assert re.search(r"^mlx-lm\s+0\.31\.3$", text, re.M), text


def test_every_rank_is_in_a_pod_of_its_own_reached_by_ssh(cluster, client):
    nodes = random.randint(2, 4)
    job = run(client, describe_rank, nodes)
    rows = re.findall(r"rank=(\d+) size=(\d+) host=(\S+) netns=(\d+) ssh=(\S+)", logs(client, job))
    assert len(rows) == nodes
    assert {size for _, size, _, _, _ in rows} == {str(nodes)}
    assert len({host for _, _, host, _, _ in rows}) == nodes
    assert len({netns for _, _, _, netns, _ in rows}) == nodes
    by_rank = {int(rank): (host, ssh) for rank, _, host, _, ssh in rows}
    assert by_rank[0] == (f"{job}-launcher-0-0", "none")
    # Every other rank was started by an ssh login from the launcher.
    assert all(ssh != "none" for rank, (_, ssh) in by_rank.items() if rank > 0)
    client.delete_job(job)


def test_the_average_of_gradients_is_the_mean(client):
    job = run(client, average_gradients, 4)
    rows = re.findall(r"rank=(\d) of=4 worst=(\S+)", logs(client, job))
    assert sorted(rank for rank, _ in rows) == ["0", "1", "2", "3"]
    assert all(float(worst) <= 1e-6 for _, worst in rows), rows
    client.delete_job(job)


def test_a_gpu_less_machine_runs_a_job_that_asks_for_gpus(client):
    job = run(client, get_mlx_dist, 3, resources_per_node={"gpu": 1})
    assert re.findall(r"WORLD_SIZE: (\d+)", logs(client, job)) == ["3", "3", "3"]
    client.delete_job(job)


def test_the_guides_patch_bounds_jobs_by_the_nodes_gpus(fresh_cluster):
    """Four pods that want a GPU: one Pending on three nodes with a GPU each, all run on four."""
    import json

    from shed import wait_until

    patch = [
        {
            "op": "add",
            "path": f"/spec/template/spec/replicatedJobs/{i}/template/spec/template/spec/containers/0/resources",
            "value": {"limits": {"nvidia.com/gpu": "1"}},
        }
        for i in (0, 1)
    ]
    job = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": "gpus", "namespace": "default"},
        "spec": {
            "runtimeRef": {"name": "mlx-distributed"},
            "trainer": {"numNodes": 4, "command": ["mpirun", "hostname"]},
        },
    }
    for nodes, enough in ((3, False), (4, True)):
        shed = fresh_cluster("--nodes", str(nodes), "--fake-gpus", "1")
        client_for(shed)
        from kubernetes import client as k8s
        from kubernetes import config

        api_client = config.new_client_from_config(config_file=str(shed.kubeconfig))
        custom = k8s.CustomObjectsApi(api_client)
        core = k8s.CoreV1Api(api_client)
        # This client sends lists as merge patches unless told otherwise.
        patcher = config.new_client_from_config(config_file=str(shed.kubeconfig))
        patcher.set_default_header("Content-Type", "application/json-patch+json")
        k8s.CustomObjectsApi(patcher).patch_cluster_custom_object(
            "trainer.kubeflow.org", "v1alpha1", "clustertrainingruntimes", "mlx-distributed", patch
        )
        custom.create_namespaced_custom_object(
            "trainer.kubeflow.org", "v1alpha1", "default", "trainjobs", job
        )
        if enough:
            def complete():
                got = custom.get_namespaced_custom_object(
                    "trainer.kubeflow.org", "v1alpha1", "default", "trainjobs", "gpus"
                )
                conditions = got.get("status", {}).get("conditions", [])
                return any(c["type"] == "Complete" and c["status"] == "True" for c in conditions)

            wait_until(complete, 60, "TrainJob gpus Complete")
            continue

        def unschedulable():
            events = core.list_namespaced_event("default").items
            return [e for e in events if e.reason == "FailedScheduling"]

        events = wait_until(unschedulable, 30, "FailedScheduling event")
        assert "Insufficient nvidia.com/gpu" in events[0].message, json.dumps(events[0].to_dict(), default=str)
        def phases():
            return sorted(p.status.phase for p in core.list_namespaced_pod("default").items)

        wait_until(lambda: phases() == ["Pending", "Running", "Running", "Running"], 30, "one pod Pending")
