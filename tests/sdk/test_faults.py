"""What goes wrong in MPI jobs: how soon and how it ends, and what `trainshed why` says of it."""

import pytest
import yaml
from shed import wait_until

pytestmark = pytest.mark.kubectl


def job(name, command, nodes=2, deadline=None):
    """A TrainJob on a runtime of its own."""
    spec = {"runtimeRef": {"name": f"{name}-runtime"}, "trainer": {"numNodes": nodes, "command": command}}
    if deadline:
        spec["activeDeadlineSeconds"] = deadline
    return {"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "metadata": {"name": name}, "spec": spec}


def runtime(cluster, name, change=None):
    """mlx-distributed under another name: a launcher that fails is not tried again, and `change` made to it."""
    found = cluster.get("clustertrainingruntime", "mlx-distributed")
    found["metadata"] = {"name": f"{name}-runtime", "labels": found["metadata"].get("labels", {})}
    jobs = {job["name"]: job for job in found["spec"]["template"]["spec"]["replicatedJobs"]}
    launcher, node = jobs["launcher"], jobs["node"]
    launcher["template"]["spec"]["backoffLimit"] = 0
    launcher["template"]["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    if change:
        change(launcher["template"]["spec"]["template"]["spec"], node["template"]["spec"]["template"]["spec"])
    return found


def start(cluster, name, command, change=None, **options):
    documents = [runtime(cluster, name, change), job(name, command, **options)]
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))


def failed(cluster, name, seconds=60):
    """The job's condition and why's first failure, once it has failed."""
    cluster.kubectl("wait", "--for=condition=Failed", f"trainjob/{name}", f"--timeout={seconds}s")
    conditions = cluster.get("trainjob", name)["status"]["conditions"]
    return next(c for c in conditions if c["type"] == "Failed"), cluster.why(name)["first_failure"]


def logged(cluster, name, text, seconds=60):
    def log():
        return text in cluster.run("logs", name, "--name", cluster.name, check=False).stdout
    wait_until(log, seconds, f"{text} in the log of {name}")


def test_a_stopped_rank_is_ended_by_the_jobs_deadline(cluster):
    """mpirun waits for it for ever; the deadline ends also what is stopped."""
    stop = "echo rank $OMPI_COMM_WORLD_RANK runs; [ $OMPI_COMM_WORLD_RANK != 1 ] || kill -STOP $$$$; sleep 600"
    start(cluster, "stopped", ["mpirun", "bash", "-c", stop], deadline=8)
    logged(cluster, "stopped", "rank 0 runs")
    before = cluster.processes()
    condition, _ = failed(cluster, "stopped", 30)
    assert condition["reason"] == "DeadlineExceeded", condition
    wait_until(lambda: not [pid for pid in cluster.processes() if pid in before and "sleep" in name_of(pid)], 30,
               "stopped processes are gone")


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read()
    except OSError:
        return ""


def test_a_silent_sshd_is_hinted_at(cluster):
    """The port is open, so the worker is Ready, and nobody speaks: with a ConnectTimeout ssh gives up."""
    listen = ("import socket, time\nserver = socket.create_server(('', 2222))\nkept = []\n"
              "while True: kept.append(server.accept())")

    def silent(_, worker):
        worker["containers"][0]["command"] = ["python3", "-c", listen]
        worker["containers"][0].pop("args", None)

    rsh = "OMPI_MCA_plm_rsh_args=-o ConnectTimeout=3 -o ConnectionAttempts=1"
    start(cluster, "silent", ["env", rsh, "mpirun", "hostname"], silent)
    _, first = failed(cluster, "silent", 60)
    assert first["exit_code"] == 255, first
    assert "ConnectTimeout" in first["hint"], first


@pytest.mark.parametrize("name,script,code,hint", [
    ("badhost", "echo no-such-host slots=1 > /tmp/hosts; mpirun --hostfile /tmp/hosts hostname", 255, "typing error"),
    ("nohosts", ": > /tmp/hosts; mpirun --hostfile /tmp/hosts hostname", 1, ""),
])
def test_a_wrong_hostfile_is_hinted_at(cluster, name, script, code, hint):
    start(cluster, name, ["bash", "-c", script.replace("$", "$$")])
    _, first = failed(cluster, name)
    assert first["exit_code"] == code, first
    assert hint in first["hint"], first


@pytest.mark.parametrize("name,script,hint", [
    ("openkey", "cp ~/.ssh/id_rsa /tmp/key; chmod 0644 /tmp/key", "mode 0600"),
    ("wrongkey", "ssh-keygen -q -t rsa -N '' -f /tmp/key", "does not accept this key"),
])
def test_a_bad_key_is_hinted_at(cluster, name, script, hint):
    mpirun = ("OMPI_MCA_plm_rsh_args='-o IdentitiesOnly=yes -o IdentityFile=/tmp/key -o BatchMode=yes"
              " -o IdentityFile=none' mpirun hostname")
    hide = "mkdir -p /tmp/home; export HOME=/tmp/home"
    start(cluster, name, ["bash", "-c", f"{script}; {hide}; {mpirun}"])
    _, first = failed(cluster, name)
    assert first["exit_code"] == 255, first
    assert hint in first["hint"], first
