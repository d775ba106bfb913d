"""Initializers by the unmodified SDK: what they fetch is in the workspace when training starts."""

import subprocess

import pytest
from conftest import client_for, s3_server
from shed import BINARY, ROOT, readable, wait_until

pytestmark = pytest.mark.kubectl

MANIFEST = ROOT / "scenarios/examples/initialized.yaml"
COMMIT = "0" * 40


def look():
    import pathlib

    for path in sorted(pathlib.Path("/workspace").rglob("*")):
        if path.is_file():
            print(path, path.stat().st_size, flush=True)


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    """A Hugging Face cache with one model, whose large file is a link in pods."""
    home = tmp_path_factory.mktemp("huggingface")
    model = home / "hub/models--org--tiny"
    (model / "refs").mkdir(parents=True)
    (model / "refs/main").write_text(COMMIT)
    (model / "snapshots" / COMMIT).mkdir(parents=True)
    (model / "snapshots" / COMMIT / "config.json").write_text("{}")
    (model / "snapshots" / COMMIT / "model.safetensors").write_bytes(b"w" * 100_000)
    (model / "snapshots" / COMMIT / "pytorch_model.bin").write_bytes(b"no")
    (home / "rows.csv").write_text("1,2\n")
    return readable(home)


@pytest.fixture(scope="module")
def initialized(cached):
    """A cluster with the runtime and that cache."""
    from shed import Cluster

    mount = f"{cached}/rows.csv:/data/rows.csv"
    shed = Cluster("--nodes", "1", "--mount", mount, env={"HF_HOME": str(cached)}).up()
    shed.kubectl("apply", "-f", "-", stdin=MANIFEST.read_text().split("---")[0])
    yield shed
    shed.down()
    assert shed.leftovers() == []


@pytest.fixture(scope="module")
def storage():
    """An S3 server with one bucket: its port."""
    import boto3

    with s3_server() as port:
        s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id="any",
                          aws_secret_access_key="any", region_name="us-east-1")
        s3.create_bucket(Bucket="data")
        for key in ("train/a 1.csv", "train/b+2.csv", "train/skip.log"):
            s3.put_object(Bucket="data", Key=f"alpaca/{key}", Body=b"1234")
        yield port


def endpoint(port):
    return {"endpoint": f"http://host.trainshed.internal:{port}", "access_key_id": "any",
            "secret_access_key": "any", "region": "us-east-1"}


def train(client, **initializers):
    from kubeflow.trainer import CustomTrainer, Initializer

    return client.train(
        runtime=client.get_runtime("initialized"), initializer=Initializer(**initializers),
        trainer=CustomTrainer(func=look),
    )


def logs(client, job, step):
    return "\n".join(client.get_job_logs(name=job, step=step))


def test_a_data_set_from_s3_and_a_model_from_the_cache(initialized, storage):
    from kubeflow.trainer import HuggingFaceModelInitializer, S3DatasetInitializer

    client = client_for(initialized)
    data = S3DatasetInitializer("s3://data/alpaca", ignore_patterns=["*.log"], **endpoint(storage))
    job = train(client, dataset=data, model=HuggingFaceModelInitializer("hf://org/tiny"))
    client.wait_for_job_status(job, timeout=120)
    assert logs(client, job, "node-0").splitlines() == [
        "/workspace/dataset/train/a 1.csv 4", "/workspace/dataset/train/b+2.csv 4",
        "/workspace/model/config.json 2", "/workspace/model/model.safetensors 100000",
    ]
    said = logs(client, job, "dataset-initializer")
    assert "Downloading alpaca/train/a 1.csv to /workspace/dataset/train/a 1.csv" in said, said
    assert "Ignored: alpaca/train/skip.log" in said, said
    said = logs(client, job, "model-initializer")
    assert "From the shared cache: model.safetensors" in said, said
    assert sorted(step.name for step in client.get_job(job).steps) == [
        "dataset-initializer", "model-initializer", "node-0"]
    client.delete_job(job)


def test_the_examples_manifest_copies_what_is_mounted(tmp_path):
    for name in ("dataset/rows.csv", "model/deep/config.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}")
    done = subprocess.run(
        [BINARY, "run", MANIFEST, "--mount", f"{readable(tmp_path)}:/data"],
        capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    seen = sorted(words[-1] for words in lines if words[0] == "[node-0]")
    assert seen == ["/workspace/dataset/rows.csv", "/workspace/model/deep/config.json"], done.stdout


def test_a_mounted_file(initialized):
    from kubeflow.trainer import HuggingFaceDatasetInitializer, HuggingFaceModelInitializer

    client = client_for(initialized)
    job = train(client, dataset=HuggingFaceDatasetInitializer("file:///data/rows.csv"),
                model=HuggingFaceModelInitializer("hf://org/tiny"))
    client.wait_for_job_status(job, timeout=120)
    assert "/workspace/dataset/rows.csv 4" in logs(client, job, "node-0")
    client.delete_job(job)


def why_it_failed(cluster, client, job):
    client.wait_for_job_status(job, status={"Failed"}, timeout=120)
    return cluster.why(job)["first_failure"]


def terminated(cluster, job, step):
    """The termination message of the step's container: what `kubectl describe pod` shows."""
    def message():
        for pod in cluster.get("pods", "-l", f"jobset.sigs.k8s.io/jobset-name={job}")["items"]:
            for status in pod["status"].get("containerStatuses", []):
                if status["name"] == step and "terminated" in status["state"]:
                    return status["state"]["terminated"].get("message")
    return wait_until(message, 30, "a termination message")


def test_a_missing_bucket_is_named(initialized, storage):
    from kubeflow.trainer import S3DatasetInitializer, S3ModelInitializer

    client = client_for(initialized)
    job = train(client, dataset=S3DatasetInitializer("s3://none/x", **endpoint(storage)),
                model=S3ModelInitializer("s3://data/alpaca", **endpoint(storage)))
    first = why_it_failed(initialized, client, job)
    assert first["container"] == "dataset-initializer" and first["exit_code"] == 1, first
    line = first["log_tail"][-1]
    assert line.startswith('initializer: s3://none/x: there is no bucket "none" at http://'), line
    assert first["hint"] == "correct the storage URI or ENDPOINT, or make the bucket", first
    assert terminated(initialized, job, "dataset-initializer") == line
    client.delete_job(job)


def test_a_hub_out_of_reach_says_how_to_do_without(initialized):
    from kubeflow.trainer import HuggingFaceModelInitializer, S3DatasetInitializer

    client = client_for(initialized)
    # The reserved name stands for an Internet that is not there.
    job = train(client, dataset=S3DatasetInitializer("s3://data/x", endpoint="https://s3.invalid"),
                model=HuggingFaceModelInitializer("hf://org/tiny"))
    first = why_it_failed(initialized, client, job)
    line = first["log_tail"][-1]
    assert "s3.invalid cannot be reached from this pod" in line and "502" in line, line
    assert first["hint"] == ("pods reach the Internet as this machine does, by "
                             "http://host.trainshed.internal:3128: can it reach it?"), first
    client.delete_job(job)
