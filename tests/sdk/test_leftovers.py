"""Whatever ends a cluster, nothing of it stays: seen from outside, by processes, mounts, namespaces,
control groups, directories."""

import contextlib
import os
import random
import signal
import subprocess
import time
import uuid

import pytest
from shed import (
    BINARY, ROOT, Cluster, clusters_directory, groups_of, leftovers, own_namespaces, processes_in, processes_of, wait_until,
)

MANIFEST = ROOT / "scenarios/guide/mlx3.yaml"


def start_run(name, *flags):
    return subprocess.Popen(
        [BINARY, "run", str(MANIFEST), "--name", name, *flags],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )


def name_of():
    return "t" + uuid.uuid4().hex[:10]


def test_run_gives_the_jobs_log_and_exit_code():
    name = name_of()
    done = subprocess.run([BINARY, "run", str(MANIFEST), "--name", name], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(line for line in done.stdout.splitlines() if line.startswith("mlx3-")) == [
        "mlx3-launcher-0-0", "mlx3-node-0-0", "mlx3-node-0-1"]
    assert "warn" not in done.stderr, done.stderr
    assert leftovers(name) == []


@pytest.mark.parametrize("moment", [0.0, 0.15, 0.4, 0.9, 1.5, 2.5])
def test_ctrl_c_at_any_moment_of_a_run(moment):
    name = name_of()
    run = start_run(name)
    time.sleep(moment + random.random() * 0.2)  # The moment is what is tested, not waited for.
    namespaces = own_namespaces(name)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=20)
    # Before the program has got hold of the signal it simply dies of it.
    assert run.returncode in (0, 130, -signal.SIGINT), out
    wait_until(lambda: not leftovers(name, namespaces), 10, f"nothing left after Ctrl-C at {moment} s")


def test_another_trainsheds_sweep_spares_a_cluster_that_starts():
    """`down` of no cluster sweeps what dead ones left; the directory of one that starts belongs to nobody dead."""
    sweep = f"while {BINARY} down --quiet --name {name_of()}; do :; done"
    sweeper = subprocess.Popen(["sh", "-c", sweep], start_new_session=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(15):
            shed = Cluster().up()
            log = clusters_directory() / shed.name / "log"
            kept = log.exists()
            shed.down()
            assert kept, f"{log} was swept"
    finally:
        os.killpg(sweeper.pid, signal.SIGKILL)
        sweeper.wait()


def test_sigkill_of_trainshed_alone():
    shed = Cluster("--store", "memory").up()
    shed.kill()
    wait_until(lambda: not shed.leftovers(), 10, "nothing left 10 s after SIGKILL")


def test_sigkill_of_every_process_leaves_no_process_mount_or_namespace():
    shed = Cluster("--store", "memory").up()
    while processes := [pid for pid, _ in processes_of(shed.name)] + processes_in(shed.namespaces):
        for pid in processes:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    # A namespace without a process in it and without a mount of it is gone.
    wait_until(lambda: not [x for x in shed.leftovers() if not x.startswith(("directory", "control group"))], 10,
               "no process and no mount after SIGKILL of all")
    # Directories and control groups go when the next cluster starts.
    other = Cluster().up()
    other.down()
    assert shed.leftovers() == []


@pytest.mark.kubectl
@pytest.mark.parametrize("everybody", [False, True])
def test_control_groups_of_running_pods_go_after_sigkill(everybody):
    """Of the owner: podinit's keeper removes them. Of the keeper, too: the next cluster does."""
    shed = Cluster("--store", "memory").up()
    if not groups_of(shed.name):
        shed.down()
        pytest.skip("NO CONTROL GROUPS ON THIS MACHINE: see trainshed doctor")
    shed.kubectl("run", "p", "--image=busybox", "--restart=Never", "--", "sleep", "300")
    wait_until(lambda: shed.get("pod", "p")["status"]["phase"] == "Running", 30, "the pod")
    if everybody:
        while processes := [pid for pid, _ in processes_of(shed.name)] + processes_in(shed.namespaces):
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        Cluster().up().down()  # unless another one has started meanwhile, on this machine
    else:
        shed.kill()
    wait_until(lambda: not shed.leftovers(), 10, "nothing left")


@pytest.mark.kubectl
def test_a_durable_cluster_has_control_groups_that_go_with_its_processes():
    shed = Cluster().up()
    if not groups_of(shed.name):
        shed.down()
        pytest.skip("NO CONTROL GROUPS ON THIS MACHINE: see trainshed doctor")
    shed.kubectl("run", "p", "--image=busybox", "--restart=Never", "--", "sleep", "300")
    wait_until(lambda: shed.get("pod", "p")["status"]["phase"] == "Running", 30, "the pod")
    shed.kill()
    wait_until(lambda: not groups_of(shed.name), 10, "no groups")
    assert (clusters_directory() / shed.name / "store.db").exists()
    shed.down()
    assert shed.leftovers() == []


def test_two_clusters_do_not_see_each_other():
    first, second = Cluster().up(), Cluster().up()
    assert first.pid() != second.pid()
    again = first.run("up", "-d", "--name", first.name, check=False)
    assert again.returncode == 4, again.stderr
    assert str(first.pid()) in again.stderr
    first.down()
    assert first.leftovers() == []
    assert second.run("status", "--name", second.name).returncode == 0
    second.down()
    assert second.leftovers() == []
