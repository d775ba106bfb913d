"""What a pod must not see or do."""

import os
import uuid

import pytest
from shed import wait_until

pytestmark = pytest.mark.kubectl

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  restartPolicy: Never
  containers:
  - name: c
    image: busybox
    command: ["sh", "-c", "{script}"]
"""


def run_pod(cluster, script):
    name = "p" + uuid.uuid4().hex[:8]
    cluster.kubectl("apply", "-f", "-", stdin=POD.format(name=name, script=script))
    wait_until(lambda: cluster.get("pod", name)["status"]["phase"] in ("Succeeded", "Failed"), 30, name)
    text = cluster.kubectl("logs", name).stdout
    cluster.kubectl("delete", "pod", name, "--wait=false")
    return text


def test_host_secrets_are_out_of_reach(cluster):
    text = run_pod(cluster, "cat /etc/shadow && echo READ-SHADOW; touch /root/x && echo WROTE-HOST-ROOT; ls -la /root; id")
    assert "READ-SHADOW" not in text, text
    if os.geteuid() == 0:
        assert not os.path.exists("/root/x"), text


def test_a_pod_has_its_own_hostname_processes_and_descriptors(cluster):
    text = run_pod(cluster, "hostname; ls /proc | grep -c ^[0-9]; ls -l /proc/self/fd")
    lines = text.splitlines()
    assert lines[0].startswith("p"), text
    assert int(lines[1]) < 8, text
    assert "holder.sock" not in text and "socket:" not in text, text


def test_no_token_of_the_cluster_is_in_the_environment(cluster):
    text = run_pod(cluster, "env")
    token = cluster.kubectl("config", "view", "--raw", "-o", "jsonpath={.users[0].user.token}").stdout
    assert len(token) >= 32
    assert token not in text
