"""What the benchmarks share: a cluster of their own, its API, TrainJobs, the machine's facts."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import platform
import re
import ssl
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Api:
    """One keep-alive connection to the cluster, as its administrator."""

    def __init__(self, kubeconfig):
        self.port = int(re.search(r"server: https://127\.0\.0\.1:(\d+)", kubeconfig)[1])
        ca = base64.b64decode(re.search(r"certificate-authority-data: (\S+)", kubeconfig)[1]).decode()
        self.context = ssl.create_default_context(cadata=ca)
        self.headers = {"Authorization": "Bearer " + re.search(r"token: (\S+)", kubeconfig)[1],
                        "Content-Type": "application/json"}
        self.connection = self.connect()

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context)

    def call(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body else None, self.headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        if response.status >= 400:
            sys.exit(f"error: {method} {path}: {text}")
        return text

    def events(self, path):
        connection = self.connect()
        connection.request("GET", path, headers=self.headers)
        with contextlib.closing(connection):
            for line in connection.getresponse():
                yield json.loads(line)

    def watch(self, path):
        for event in self.events(path):
            yield event["object"]


def trainjob(name, nodes, command):
    return {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"runtimeRef": {"name": "mlx-distributed"},
                     "trainer": {"numNodes": nodes, "command": command}}}


JOBS = "/apis/trainer.kubeflow.org/v1alpha1/namespaces/default/trainjobs"


def until_ended(api, name, version):
    for job in api.watch(f"{JOBS}?watch=true&fieldSelector=metadata.name%3D{name}&resourceVersion={version}"):
        for condition in job.get("status", {}).get("conditions", []):
            if condition["status"] != "True":
                continue
            if condition["type"] == "Failed":
                sys.exit(f"error: TrainJob {name} failed: {condition['message']}")
            if condition["type"] == "Complete":
                return


def run_flow(api, name, nodes, command):
    made = json.loads(api.call("POST", JOBS, trainjob(name, nodes, command)))
    start = time.monotonic()
    until_ended(api, name, made["metadata"]["resourceVersion"])
    return time.monotonic() - start


def logs_of(api, name):
    pods = json.loads(api.call("GET", "/api/v1/namespaces/default/pods?labelSelector="
                               f"jobset.sigs.k8s.io%2Freplicatedjob-name%3Dlauncher%2Cjobset.sigs.k8s.io%2Fjobset-name%3D{name}"))
    pod = pods["items"][0]["metadata"]["name"]
    return api.call("GET", f"/api/v1/namespaces/default/pods/{pod}/log")


def summary(samples):
    return {"median": statistics.median(samples), "min": min(samples), "max": max(samples), "samples": samples}


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    return {"cores": os.cpu_count(), "cpu": model[1] if model else platform.machine(),
            "kernel": platform.release(), "load_before": os.getloadavg()}


@contextlib.contextmanager
def own_cluster(trainshed, *flags):
    name = f"bench-{os.getpid()}"
    # In memory: how fast this machine's disk syncs is no part of what is measured.
    subprocess.run([trainshed, "up", "-d", "--quiet", "--name", name, "--store", "memory", *flags], check=True)
    try:
        kubeconfig = subprocess.run([trainshed, "kubeconfig", "--name", name],
                                    check=True, capture_output=True, text=True).stdout
        yield Api(kubeconfig)
    finally:
        subprocess.run([trainshed, "down", "--quiet", "--name", name], check=True)


def google_benchmark(series):
    """Named samples of seconds in Google Benchmark's JSON, which `trainshed bench compare` reads."""
    rows = [{"name": name, "run_name": name, "run_type": "iteration", "repetitions": len(samples),
             "repetition_index": i, "threads": 1, "iterations": 1, "real_time": sample, "cpu_time": 0, "time_unit": "s"}
            for name, samples in series.items() for i, sample in enumerate(samples)]
    return {"context": {"num_cpus": os.cpu_count(), "json_schema_version": 1}, "benchmarks": rows}
