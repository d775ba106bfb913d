"""Trainer's other runtimes by the unmodified SDK: the processes find each other and agree on a result."""

import re
import subprocess

import pytest
from conftest import scenario
from shed import BINARY


def run(client, runtime, func, num_nodes):
    """Each node's log, after the job is complete."""
    from kubeflow.trainer import CustomTrainer

    job = client.train(runtime=client.get_runtime(runtime), trainer=CustomTrainer(func=func, num_nodes=num_nodes))
    client.wait_for_job_status(job, timeout=240)
    steps = [step.name for step in client.get_job(job).steps]
    texts = ["\n".join(client.get_job_logs(name=job, step=step)) for step in sorted(steps)]
    client.delete_job(job)
    return texts


@pytest.mark.environment("torch")
def test_torch_gloo_gives_three_ranks_the_sum(client):
    texts = run(client, "torch-distributed", scenario("runtimes/torch_all_reduce.py").all_reduce, 3)
    for rank, text in enumerate(texts):
        assert f"rank {rank} of 3, gloo, sum [3.0, 6.0, 9.0, 12.0]" in text, text


@pytest.mark.slow
@pytest.mark.environment("torch")
@pytest.mark.parametrize("nodes", [2, 4])
def test_torch_gloo_on_other_numbers_of_nodes(client, nodes):
    texts = run(client, "torch-distributed", scenario("runtimes/torch_all_reduce.py").all_reduce, nodes)
    expected = [float(nodes * i + sum(range(nodes))) for i in range(4)]
    assert len(texts) == nodes and all(f"of {nodes}, gloo, sum {expected}" in text for text in texts), texts


@pytest.mark.environment("deepspeed")
def test_the_deepspeed_runtime_runs_mpi4py_over_mpirun_and_ssh(client):
    launcher = run(client, "deepspeed-distributed", scenario("runtimes/mpi4py_all_reduce.py").all_reduce, 3)[0]
    rows = re.findall(r"^(\S+): rank (\d) of 3, Open MPI \S+.*, sum \[3\.0, 6\.0, 9\.0, 12\.0\]$", launcher, re.M)
    assert sorted(rank for _, rank in rows) == ["0", "1", "2"], launcher
    assert len({host for host, _ in rows}) == 3, launcher


@pytest.mark.environment("jax")
def test_jax_trains_one_model_on_two_nodes(client):
    texts = run(client, "jax-distributed", scenario("runtimes/jax_training.py").train, 2)
    for process, text in enumerate(texts):
        assert f"process {process} of 2, 2 devices, 1 here" in text, text
        first, last = map(float, re.findall(r"epoch \d+, loss (\S+)$", text, re.M))
        assert last < first / 2, text
    # The same to the last digit: the gradients were those of all samples on both.
    assert len(set(re.findall(r"weights add up to (\S+)", "\n".join(texts)))) == 1, texts


@pytest.mark.environment("xgboost")
def test_xgboost_trains_one_model_on_two_nodes(client):
    texts = run(client, "xgboost-distributed", scenario("runtimes/xgboost_training.py").train, 2)
    results = re.findall(r"worker (\d): 3000 samples, accuracy (\S+), model (\w+)$", "\n".join(texts), re.M)
    assert sorted(worker for worker, _, _ in results) == ["0", "1"], texts
    assert all(float(accuracy) > 0.9 for _, accuracy, _ in results), texts
    assert len({model for _, _, model in results}) == 1, texts


PLAIN = """
apiVersion: trainer.kubeflow.org/v1alpha1
kind: ClusterTrainingRuntime
metadata: {name: plain, labels: {trainer.kubeflow.org/framework: plain}}
spec:
  mlPolicy: {numNodes: 2}
  template:
    spec:
      replicatedJobs:
      - name: node
        template:
          metadata: {labels: {trainer.kubeflow.org/trainjob-ancestor-step: trainer}}
          spec: {template: {spec: {containers: [{name: node, image: busybox}]}}}
---
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: words}
spec:
  runtimeRef: {name: plain}
  trainer: {command: [sh, -c, "echo $(hostname) has $WORDS"], env: [{name: WORDS, value: plain words}]}
"""


def test_a_runtime_of_ones_own_runs_plain_commands():
    done = subprocess.run([BINARY, "run", "-"], input=PLAIN, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = sorted(line.split("] ")[-1] for line in done.stdout.splitlines())
    assert lines == ["words-node-0-0 has plain words", "words-node-0-1 has plain words"], done.stdout
