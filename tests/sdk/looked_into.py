"""Pods for tests that look into pods: one with a server on its loopback and a talker, one that has ended."""

import contextlib

from shed import wait_until

FIVE_MEGABYTES = 5 * 1000 * 1000
POD = """
apiVersion: v1
kind: Pod
metadata: {name: streams}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: mpioperator/base
    command: [sh, -c, "mkdir /tmp/web && cd /tmp/web && exec python3 -m http.server --bind 127.0.0.1 8080"]
    env: [{name: GREETING, value: hello from the spec}]
    workingDir: /home/mpiuser
    securityContext: {runAsUser: 1000}
  - name: talker
    image: busybox
    command: [sh, -c, "i=0; while :; do echo line $i; echo error $i >&2; i=$((i+1)); sleep 0.1; done"]
"""
DONE = """
apiVersion: v1
kind: Pod
metadata: {name: done}
spec:
  restartPolicy: Never
  containers: [{name: main, image: busybox, command: ["true"]}]
"""


@contextlib.contextmanager
def looked_into(cluster):
    for manifest in (POD, DONE):
        cluster.kubectl("apply", "-f", "-", stdin=manifest)
    cluster.kubectl("wait", "--for=condition=Ready", "pod/streams", "--timeout=60s")
    wait_until(lambda: cluster.get("pod", "done")["status"]["phase"] == "Succeeded", 30, "the short pod has ended")
    yield "streams"
    for name in ("streams", "done"):
        cluster.kubectl("delete", "pod", name, "--now")
