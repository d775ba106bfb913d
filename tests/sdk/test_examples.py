"""Kubeflow Trainer's MLX examples with their functions unchanged, on data that offline_data.py makes."""

import os
import pathlib
import re
import subprocess

import pytest
from conftest import client_for, s3_server, scenario
from shed import packages_of, readable

# Minutes on two cores: run by tools/test --soak.
pytestmark = pytest.mark.slow

BUCKET = "models"


def make(*words):
    subprocess.run(
        ["/usr/bin/python3", "-B", pathlib.Path(__file__).with_name("offline_data.py"), *words],
        env=dict(os.environ, PYTHONPATH=packages_of("mlx", "xgboost")), check=True, capture_output=True,
    )


@pytest.fixture
def s3():
    """An S3 server on this machine's loopback, and its variables as this machine's programs need them."""
    variables = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ.update(variables)
    import boto3

    with s3_server() as port:
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
        storage = boto3.client("s3")
        storage.create_bucket(Bucket=BUCKET)
        yield storage
    for name in [*variables, "AWS_ENDPOINT_URL"]:
        del os.environ[name]


def text_of(client, job, timeout):
    client.wait_for_job_status(job, timeout=timeout)
    text = "\n".join(client.get_job_logs(name=job, step="node-0"))
    if directory := os.environ.get("EXAMPLE_LOGS"):
        pathlib.Path(directory, f"{job}.log").write_text(text)
    return text


ACCURACY = """
import pickle, sys, numpy
weights, samples = numpy.load(sys.argv[1]), pickle.load(open(sys.argv[2], "rb"))
x = numpy.stack([s["image"].ravel() for s in samples]).astype("float32") / 255
for layer in range(3):
    x = numpy.maximum(x, 0) @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]
print(numpy.mean(x.argmax(1) == [s["label"] for s in samples]))
"""


# The example's 15 epochs pass 90 % with as many images as MNIST has; with fewer there are fewer steps.
@pytest.mark.timeout(900)
@pytest.mark.environment("xgboost")
@pytest.mark.parametrize("count, least", [(21_000, 0.3), pytest.param(60_000, 0.9, marks=pytest.mark.slow)])
def test_mnist_learns_on_three_nodes_and_its_model_is_in_s3(fresh_cluster, tmp_path, s3, count, least):
    make("digits", tmp_path / "mnist", str(count))
    cluster = fresh_cluster("--nodes", "3", "--mount", f"{readable(tmp_path)}:~/.cache/mlx.data")
    client = client_for(cluster)
    text = text_of(client, scenario("examples/mlx_mnist.py").create(client, BUCKET), 800)
    assert sorted(re.findall(r"WORLD_SIZE: 3, RANK: (\d)", text)) == ["0", "1", "2"], text
    losses = [float(x) for x in re.findall(rf"Epoch: \d+ \[0/{count} \(0%\)\] \tTrain loss: (\S+),", text)]
    assert len(losses) == 15 and losses[-1] < losses[7] < losses[0], losses
    model = tmp_path / "mnist.npz"
    s3.download_file(BUCKET, "mnist.npz", str(model))
    accuracy = subprocess.check_output(
        ["/usr/bin/python3", "-c", ACCURACY, model, tmp_path / "mnist/test.pkl"],
        env=dict(os.environ, PYTHONPATH=packages_of("mlx")), text=True,
    )
    assert float(accuracy) > least, accuracy


@pytest.mark.timeout(900)
@pytest.mark.parametrize("nodes, iterations", [(2, 20), (4, 100)])
def test_lora_learns_and_rank_0_generates(fresh_cluster, tmp_path, monkeypatch, nodes, iterations):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    make("llama", tmp_path)
    cluster = fresh_cluster("--nodes", str(nodes), env={"HF_HOME": str(readable(tmp_path))})
    client = client_for(cluster)
    example = scenario("examples/mlx_fine_tune_llama.py")
    text = text_of(client, example.create(client, nodes, iterations, batch_size=8), 800)
    assert sorted(re.findall(rf"Node (\d) of {nodes}", text)) == [str(rank) for rank in range(nodes)], text
    losses = [float(loss) for loss in re.findall(r"Iter \d+: Train loss (\S+),", text)]
    assert len(losses) == iterations // 10 and losses[-1] < losses[0], losses
    first, last = [float(loss) for loss in re.findall(r"Iter \d+: Val loss (\S+),", text)]
    assert last < first, text
    assert text.count("Adapters saved to: adapters") == 1, text
    assert re.search(r"Prompt: What is SQL\?\nResponse:\s*\S", text), text
