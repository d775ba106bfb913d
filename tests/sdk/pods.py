"""Plain pods for the tests of containers."""

import json
import os
import pathlib
import uuid

from shed import wait_until

UNTIL_TERM = "trap 'echo told; exit 0' TERM; echo up; while :; do sleep 0.05; done"


def container(name, script, **more):
    return {"name": name, "image": "busybox", "command": ["sh", "-c", script], **more}


def server(script, **more):
    return {"name": "main", "image": "busybox", "command": ["python3", "-c", script], **more}


class Pods:
    """Makes pods of one test and takes them away afterwards."""

    def __init__(self, cluster):
        self.cluster, self.names = cluster, []

    def add(self, *containers, **spec):
        name = "p" + uuid.uuid4().hex[:8]
        self.names.append(name)
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                "spec": {"restartPolicy": "Never", "containers": list(containers), **spec}}
        self.cluster.kubectl("create", "-f", "-", stdin=json.dumps(body))
        return name

    def status(self, name):
        return self.cluster.get("pod", name)["status"]

    def phase(self, name, *phases, seconds=30):
        wait_until(lambda: self.status(name)["phase"] in phases, seconds, f"{name} is {phases}")

    def ready(self, name, seconds=30):
        self.cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", f"--timeout={seconds}s")

    def log(self, name, *words):
        return self.cluster.kubectl("logs", name, *words).stdout

    def logged(self, name, text, *words, seconds=30):
        wait_until(lambda: text in self.log(name, *words), seconds, f"{text!r} in the log of {name}")

    def events(self, name, at_least=1):
        return self.cluster.events_of(name, at_least)

    def ended(self, name, container="main", last=False):
        status = self.status(name)
        for one in status.get("initContainerStatuses", []) + status["containerStatuses"]:
            if one["name"] == container:
                return one["lastState" if last else "state"].get("terminated")
        return None


def commands_with(mark):
    """Ids of this machine's processes whose arguments contain `mark`, but for the ones that look for it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]
