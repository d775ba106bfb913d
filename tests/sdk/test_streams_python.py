"""exec and port-forward by the Kubernetes Python client, which speaks channels over WebSocket."""

import hashlib
import json

import pytest
from conftest import client_for
from looked_into import FIVE_MEGABYTES, looked_into

pytestmark = pytest.mark.kubectl


@pytest.fixture(scope="module")
def pod(cluster):
    with looked_into(cluster) as name:
        yield name


@pytest.fixture
def core(cluster, pod):
    client_for(cluster)
    from kubernetes import client, config  # noqa: PLC0415

    config.load_kube_config(str(cluster.kubeconfig))
    return client.CoreV1Api()


def python_exec(core, words, **options):
    from kubernetes.stream import stream  # noqa: PLC0415

    wanted = {"stderr": True, "stdin": False, "stdout": True, "tty": False, **options}
    return stream(core.connect_get_namespaced_pod_exec, "streams", "default", container="main", command=words, **wanted)


def test_the_python_client_runs_commands(core):
    assert python_exec(core, ["sh", "-c", "echo out; echo err >&2"]) in ("out\nerr\n", "err\nout\n")
    response = python_exec(core, ["sh", "-c", "read line; echo got $line; exit 4"], stdin=True, _preload_content=False)
    response.write_stdin("a line\n")
    response.run_forever(timeout=30)
    assert response.read_stdout() == "got a line\n"
    assert response.returncode == 4


def test_the_python_client_takes_large_messages(core):
    words = ["sh", "-c", "head -c 5000000 | sha256sum"]
    response = python_exec(core, words, stdin=True, _preload_content=False)
    text = "x" * FIVE_MEGABYTES
    response.write_stdin(text)
    response.run_forever(timeout=60)
    assert response.read_stdout().split()[0] == hashlib.sha256(text.encode()).hexdigest()


def test_the_python_client_gets_refusals(core):
    from kubernetes.client import ApiException  # noqa: PLC0415
    from kubernetes.stream import stream  # noqa: PLC0415

    with pytest.raises(ApiException) as caught:
        stream(core.connect_get_namespaced_pod_exec, "nope", "default", command=["true"], stdout=True)
    assert caught.value.status == 0 or caught.value.status == 404
    assert "404" in str(caught.value)
    with pytest.raises(ApiException) as caught:
        core.connect_get_namespaced_pod_exec("streams", "default", container="main", command="true", stdout=True)
    assert caught.value.status == 400 and "Upgrade request required" in caught.value.body


def test_the_python_client_forwards_ports(core):
    from kubernetes.stream import portforward  # noqa: PLC0415

    forwarding = portforward(core.connect_get_namespaced_pod_portforward, "streams", "default", ports="8080")
    socket = forwarding.socket(8080)
    socket.settimeout(30)
    socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while part := socket.recv(4096):
        answer += part
    assert answer.startswith(b"HTTP/1.0 200 OK") and b"</html>" in answer
    assert forwarding.error(8080) is None


def test_the_status_is_as_a_kubelet_tells_it(core):
    response = python_exec(core, ["sh", "-c", "exit 3"], _preload_content=False)
    response.run_forever(timeout=30)
    status = json.loads(response.read_channel(3))
    assert status["reason"] == "NonZeroExitCode" and status["status"] == "Failure" and status["metadata"] == {}
    assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "3"}]
    assert status["message"].startswith("command terminated with non-zero exit code")
