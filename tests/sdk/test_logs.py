"""Logs arrive while the ranks run, and workers' logs show the real sshd."""

import re
import time

import pytest
from shed import wait_until
from test_guide import run


def print_slowly():
    import time

    import mlx.core as mx

    dist = mx.distributed.init()
    for i in range(6):
        print(f"rank={dist.rank()} line={i}")  # Not flushed: a pty on the node flushes it, as on a cluster.
        time.sleep(0.5)  # The ranks' work.


def sleep_for_long():
    import time

    import mlx.core as mx

    mx.distributed.init()
    print("sleeping")
    time.sleep(300)  # Until the job is deleted.


def start(client, func, num_nodes):
    from kubeflow.trainer import CustomTrainer

    return client.train(
        runtime=client.get_runtime("mlx-distributed"),
        trainer=CustomTrainer(func=func, num_nodes=num_nodes),
    )


def test_following_streams_line_by_line_while_ranks_run(client):
    job = start(client, print_slowly, 2)
    wait_until(lambda: any(s.name == "node-0" and s.status != "Pending" for s in client.get_job(job).steps),
               60, "node-0 started")
    arrivals = [(time.monotonic(), line) for line in client.get_job_logs(name=job, step="node-0", follow=True)]
    lines = [(when, line) for when, line in arrivals if line.startswith("rank=")]
    assert len(lines) == 12, arrivals
    first = next(when for when, line in lines if "line=0" in line)
    last = max(when for when, line in lines if "line=5" in line)
    assert last - first > 2.0, "the lines came all at once"
    client.wait_for_job_status(job, timeout=60)
    client.delete_job(job)


@pytest.mark.kubectl
def test_kubectl_logs_follow_ends_with_the_job(cluster, client):
    job = start(client, print_slowly, 2)
    pod = wait_until(
        lambda: [
            p["metadata"]["name"]
            for p in cluster.get("pods", "-l", f"job-name={job}-launcher-0")["items"]
            if p["status"]["phase"] == "Running"
        ],
        60,
        "launcher running",
    )[0]
    text = cluster.kubectl("logs", "-f", pod).stdout
    assert len(re.findall(r"rank=\d line=\d", text)) == 12
    client.delete_job(job)


@pytest.mark.kubectl
def test_workers_logs_show_the_accepted_key(cluster, client):
    job = start(client, sleep_for_long, 3)

    def accepted():
        texts = [
            cluster.kubectl("logs", p["metadata"]["name"], check=False).stdout
            for p in cluster.get("pods", "-l", f"job-name={job}-node-0")["items"]
        ]
        return len(texts) == 2 and all("Accepted publickey for mpiuser" in t for t in texts)

    wait_until(accepted, 60, "Accepted publickey in both workers' logs")
    client.delete_job(job)


def test_a_failing_function_shows_its_traceback(client):
    job = start(client, fail_at_once, 2)

    def traceback():
        return "ValueError: no such layer" in "\n".join(client.get_job_logs(name=job, step="node-0"))

    wait_until(traceback, 60, "the traceback in the log of node-0")
    client.delete_job(job)


def fail_at_once():
    raise ValueError("no such layer")


def test_packages_come_from_a_local_index(cluster, client, tmp_path):
    """`pip install --user` on every rank, from an index served on this host's loopback."""
    import functools
    import http.server
    import threading

    from kubeflow.trainer import CustomTrainer

    index = tmp_path / "simple" / "shed-probe"
    index.mkdir(parents=True)
    build_wheel(index / "shed_probe-1.0-py3-none-any.whl")
    (index / "index.html").write_text('<a href="shed_probe-1.0-py3-none-any.whl">shed_probe</a>')
    (tmp_path / "simple" / "index.html").write_text('<a href="shed-probe/">shed-probe</a>')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        job = client.train(
            runtime=client.get_runtime("mlx-distributed"),
            trainer=CustomTrainer(
                func=use_package,
                num_nodes=2,
                packages_to_install=["shed-probe"],
                pip_index_urls=[f"http://host.trainshed.internal:{server.server_port}/simple"],
            ),
        )
        client.wait_for_job_status(job, timeout=120)
        text = "\n".join(client.get_job_logs(name=job))
    finally:
        server.shutdown()
    assert sorted(re.findall(r"rank=(\d) probe=1.0", text)) == ["0", "1"], text
    client.delete_job(job)


def use_package():
    import mlx.core as mx
    import shed_probe

    print(f"rank={mx.distributed.init().rank()} probe={shed_probe.version}")


def build_wheel(path):
    import zipfile

    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("shed_probe.py", "version = '1.0'\n")
        wheel.writestr(
            "shed_probe-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: shed-probe\nVersion: 1.0\n"
        )
        wheel.writestr(
            "shed_probe-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("shed_probe-1.0.dist-info/RECORD", "")
