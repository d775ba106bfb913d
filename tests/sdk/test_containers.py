"""Containers as on a real node: hooks, probes, sidecars, namespaces, security contexts."""

import concurrent.futures
import json
import time
import uuid

import pytest
from pods import UNTIL_TERM, Pods, commands_with, container, server
from shed import wait_until

pytestmark = pytest.mark.kubectl

# A gRPC server of its own: health checks answered with canned HTTP/2 frames.
GRPC_SERVER = r"""
import socket, sys, threading
def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
def serve(peer):
    peer.sendall(frame(4, 0, 0, b""))
    seen = b""
    while b"\x0a\x05train" not in seen:
        seen += peer.recv(4096)
    status = open("/tmp/status", "rb").read()
    peer.sendall(frame(1, 4, 1, b"\x88" + literal(b"content-type", b"application/grpc")))
    peer.sendall(frame(0, 0, 1, b"\0\0\0\0\2\x08" + bytes([int(status)])))
    peer.sendall(frame(1, 5, 1, literal(b"grpc-status", b"0")))
open("/tmp/status", "w").write("2")
listener = socket.create_server(("", 5000))
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]]).start()
"""
HTTPS_SERVER = r"""
import http.server, ssl, subprocess
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, self.headers["X-Probe"], self.headers["Host"], self.headers["User-Agent"], flush=True)
        self.send_response(200 if self.headers["X-Probe"] == "yes" else 500)
        self.end_headers()
subprocess.run("openssl req -x509 -newkey rsa:2048 -nodes -keyout /tmp/k -out /tmp/c -days 1 -subj /CN=nobody".split(),
               check=True, capture_output=True)
server = http.server.HTTPServer(("", 8443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tmp/c", "/tmp/k")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


# ---- hooks


def test_hooks_run_in_their_container_before_it_counts_and_before_it_is_told(pods):
    hooks = {"postStart": {"exec": {"command": ["sh", "-c", "echo hello > /dev/shm/greeting"]}},
             "preStop": {"exec": {"command": ["sh", "-c", "cat /dev/shm/greeting > /dev/shm/pipe; sleep 0.2"]}}}
    script = "mkfifo /dev/shm/pipe; (while :; do cat /dev/shm/pipe; done) & " + UNTIL_TERM
    name = pods.add(container("main", script, lifecycle=hooks))
    pods.ready(name)
    pods.logged(name, "up")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        following = pool.submit(pods.log, name, "--follow")
        pods.cluster.kubectl("delete", "pod", name)
        assert following.result() == "up\nhello\ntold\n"


def test_a_failed_post_start_ends_the_container(pods):
    hooks = {"postStart": {"exec": {"command": ["sh", "-c", "echo no; exit 3"]}}}
    name = pods.add(container("main", UNTIL_TERM, lifecycle=hooks))
    pods.phase(name, "Succeeded", "Failed")
    events = pods.events(name)
    assert "FailedPostStartHook: PostStartHook failed" in events
    assert "Killing: FailedPostStartHook" in events


def test_a_pre_stop_counts_against_the_grace(pods):
    hooks = {"preStop": {"exec": {"command": ["sleep", "600"]}}}
    name = pods.add(container("main", UNTIL_TERM, lifecycle=hooks), terminationGracePeriodSeconds=1)
    pods.logged(name, "up")
    began = time.monotonic()
    pods.cluster.kubectl("delete", "pod", name)
    assert 1 <= time.monotonic() - began < 10
    assert "FailedPreStopHook: PreStopHook failed" in pods.events(name)


# ---- probes


def test_a_grpc_probe_follows_the_services_health(pods):
    probe = {"grpc": {"port": 5000, "service": "train"}, "periodSeconds": 1, "failureThreshold": 1}
    name = pods.add(server(GRPC_SERVER, readinessProbe=probe))
    wait_until(lambda: 'Unhealthy: Readiness probe failed: service unhealthy (responded with "NOT_SERVING")'
               in pods.events(name), 30, "it does not serve yet")
    pods.cluster.kubectl("exec", name, "--", "sh", "-c", "echo 1 > /tmp/status")
    pods.ready(name)


def test_an_https_probe_looks_at_the_answer_not_at_the_certificate(pods):
    def probe(value):
        return {"httpGet": {"scheme": "HTTPS", "port": "web", "path": "/health",
                            "httpHeaders": [{"name": "X-Probe", "value": value}]}, "periodSeconds": 1}

    name = pods.add(server(HTTPS_SERVER, ports=[{"name": "web", "containerPort": 8443}], readinessProbe=probe("yes"),
                           livenessProbe=dict(probe("no"), failureThreshold=2, initialDelaySeconds=3)),
                    restartPolicy="Always")
    pods.ready(name)
    ip = pods.status(name)["podIP"]
    assert f"/health yes {ip}:8443 kube-probe/1.36" in pods.log(name)
    wait_until(lambda: pods.status(name)["containerStatuses"][0]["restartCount"] > 0, 40, "the liveness probe fails")
    events = pods.events(name)
    assert "Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500" in events
    assert "Killing: Container main failed liveness probe, will be restarted" in events


def test_a_command_of_a_probe_that_hangs_is_killed(pods):
    mark = "987" + str(int(uuid.uuid4().hex[:4], 16))
    probe = {"exec": {"command": ["sleep", mark]}, "timeoutSeconds": 1, "periodSeconds": 1}
    name = pods.add(container("main", UNTIL_TERM, readinessProbe=probe))
    said = f'Unhealthy: Readiness probe failed: command timed out: "sleep {mark}" timed out after 1s'
    wait_until(lambda: said in pods.events(name, at_least=3), 30, "the probe times out three times")
    assert len(commands_with(mark)) <= 1  # The next try.


# ---- sidecars


def test_sidecars_start_first_and_end_last_in_reverse_order(pods):
    def sidecar(name):
        trap = f"trap 'echo {name} >> /v/order; exit 0' TERM; touch /v/{name}; while :; do sleep 0.05; done"
        return container(name, trap, restartPolicy="Always", volumeMounts=mounts,
                         startupProbe={"exec": {"command": ["test", "-e", f"/v/{name}"]}, "periodSeconds": 1})

    mounts = [{"name": "v", "mountPath": "/v"}]
    reader = container("zz", "trap 'cat /v/order; exit 0' TERM; while :; do sleep 0.05; done",
                       restartPolicy="Always", volumeMounts=mounts)
    main = container("main", "ls /v; echo main >> /v/order", volumeMounts=mounts)
    name = pods.add(main, initContainers=[reader, sidecar("one"), sidecar("two")],
                    volumes=[{"name": "v", "emptyDir": {}}])
    pods.phase(name, "Succeeded")
    assert pods.log(name, "-c", "main").split() == ["one", "two"]
    assert pods.log(name, "-c", "zz").split() == ["main", "two", "one"]


def test_a_job_with_a_sidecar_completes(cluster):
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "sidecarred"}, "spec": {"template": {"spec": {
        "restartPolicy": "Never", "containers": [container("main", "exit 0")],
        "initContainers": [container("proxy", UNTIL_TERM, restartPolicy="Always")]}}}}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(job))
    cluster.kubectl("wait", "--for=condition=Complete", "job/sidecarred", "--timeout=30s")
    cluster.kubectl("delete", "job", "sidecarred")


# ---- namespaces


def test_containers_share_what_a_pod_shares(pods):
    writer = container("writer", "echo shared > /dev/shm/x; sleep 30")
    reader = container("main", "until cat /dev/shm/x 2>/dev/null; do sleep 0.05; done; ps ax | grep -c '[s]leep 30'")
    name = pods.add(writer, reader)
    wait_until(lambda: pods.ended(name), 30, "the reader ends")
    assert pods.log(name, "-c", "main").split() == ["shared", "0"]


def test_a_shared_pid_namespace_lets_containers_signal_each_other(pods):
    mark = "876" + str(int(uuid.uuid4().hex[:4], 16))
    main = container("main", f"trap 'echo told; exit 7' TERM; setsid sleep {mark} & echo $$$$ > /dev/shm/pid; "
                             "while :; do sleep 0.05; done")
    other = container("other", "until [ -s /dev/shm/pid ]; do sleep 0.05; done; kill $(cat /dev/shm/pid); sleep 60")
    name = pods.add(main, other, shareProcessNamespace=True, terminationGracePeriodSeconds=1)
    wait_until(lambda: pods.ended(name), 30, "main ends")
    assert pods.ended(name)["exitCode"] == 7
    # What main left behind went with it, though the pod and its PID namespace are still there.
    wait_until(lambda: not commands_with(f"sleep\0{mark}"), 5, "the orphan is gone")
    assert pods.status(name)["phase"] == "Running"


def test_host_namespaces_are_refused_unless_allowed(pods, fresh_cluster):
    name = pods.add(container("main", "exit 0"), hostPID=True)
    pods.phase(name, "Failed")
    status = pods.status(name)
    assert status["reason"] == "HostNamespacesNotAllowed" and "--allow-host-namespaces" in status["message"]
    assert any(text.startswith("HostNamespacesNotAllowed: ") for text in pods.events(name))
    mine = Pods(fresh_cluster("--allow-host-namespaces"))
    mark = "765" + str(int(uuid.uuid4().hex[:4], 16))
    mine.ready(mine.add(container("main", f"sleep {mark}")))
    name = mine.add(container("main", f"ps -e -o args= | grep -cx 'sleep {mark}'"), hostPID=True, hostIPC=True)
    mine.phase(name, "Succeeded", "Failed")
    assert mine.log(name) == "1\n"


# ---- security contexts


def test_run_as_non_root_is_looked_at_before_the_start(pods):
    names = [pods.add(container("main", "id", securityContext=context))
             for context in ({"runAsNonRoot": True}, {"runAsNonRoot": True, "runAsUser": 0})]
    for name, words in zip(names, ("container has runAsNonRoot and image will run as root",
                                   "container's runAsUser breaks non-root policy"), strict=True):
        wait_until(lambda: pods.status(name).get("containerStatuses"), 30, "a status")
        wait_until(lambda: pods.status(name)["containerStatuses"][0]["state"].get("waiting", {}).get("message"), 30, "x")
        waiting = pods.status(name)["containerStatuses"][0]["state"]["waiting"]
        assert waiting["reason"] == "CreateContainerConfigError"
        assert waiting["message"].startswith(f'{words} (pod: "{name}_default(')
        assert waiting["message"].endswith('", container: main)')
    name = pods.add(container("main", "id -u", securityContext={"runAsNonRoot": True, "runAsUser": 1234}))
    pods.phase(name, "Succeeded")
    assert pods.log(name) == "1234\n"


def test_capabilities_are_added_and_dropped(pods):
    def effective(capabilities, **more):
        name = pods.add(container("main", "grep CapEff /proc/self/status",
                                  securityContext={"capabilities": capabilities, **more}))
        pods.phase(name, "Succeeded")
        return int(pods.log(name).split()[1], 16)

    net_admin, net_bind, ptrace = 1 << 12, 1 << 10, 1 << 19
    default = effective({})
    assert default & net_bind and not default & net_admin
    assert effective({"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}) == net_bind
    assert effective({"add": ["NET_ADMIN"], "drop": ["NET_BIND_SERVICE"]}) == (default | net_admin) & ~net_bind
    assert not effective({"add": ["ALL"]}) & ptrace
    assert effective({"add": ["NET_ADMIN"]}, runAsUser=1000) == 0


def test_a_read_only_root_leaves_volumes_writable(pods):
    script = "for d in / /tmp /run $HOME /v /dev/shm; do touch $d/x 2>/dev/null && echo $d; done; true"
    name = pods.add(container("main", script, securityContext={"readOnlyRootFilesystem": True},
                              volumeMounts=[{"name": "v", "mountPath": "/v"}]), volumes=[{"name": "v", "emptyDir": {}}])
    pods.phase(name, "Succeeded")
    assert pods.log(name).split() == ["/v", "/dev/shm"]


def test_ephemeral_containers_are_refused_in_words(pods):
    name = pods.add(container("main", UNTIL_TERM))
    refused = pods.cluster.kubectl("debug", name, "--image=busybox", "--", "true", check=False)
    assert refused.returncode == 1
    assert "this cluster runs no ephemeral containers: use kubectl exec" in refused.stderr
