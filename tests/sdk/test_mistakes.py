"""What a newcomer gets wrong on the command line: the exit code, the cause and the next step."""

import subprocess

import pytest
from shed import BINARY

JOB = """
apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata: {name: x}
spec:
  runtimeRef: {name: %s}
  trainer: {numNodes: 2%s}
"""

FILES = {
    "broken YAML": ("a: [1\nb: 2\n", "line 2"),
    "no objects": ("# only a comment\n", "nothing in it"),
    "unknown kind": ("apiVersion: v1\nkind: Pot\nmetadata: {name: x}\n", 'no kind "Pot" in version "v1"'),
    "unknown field": (JOB % ("mlx-distributed", ", colour: red"), 'unknown field "spec.trainer.colour"'),
    "unknown runtime": (JOB % ("mlx", ""), 'ClusterTrainingRuntime.trainer.kubeflow.org "mlx" not found'),
    "nothing to wait for": ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "nothing to wait for"),
}

WORDS = {
    "no command": ([], "subcommand"),
    "near a command": (["stauts"], "did you mean status?"),
    "far from any": (["frobnicate"], 'there is no command "frobnicate"'),
    "bad number": (["up", "--nodes", "0"], "--nodes"),
    "missing file": (["run", "no-such-file.yaml"], "no-such-file.yaml: No such file or directory"),
    "bad name": (["up", "--name", "A b"], "name"),
    "mount of nothing": (["up", "--mount", "/no/such/place"], "--mount /no/such/place: No such file or directory"),
    "relative mount": (["up", "--mount", "data:/data"], '"data" is no absolute path'),
    "mount on the root": (["up", "--mount", "/usr:/"], 'pods cannot have it at "/"'),
    "mount with too much": (["up", "--mount", "/usr:/a:rw:no"], "it is HOST[:POD[:ro|rw]]"),
    "two mounts at one place": (["up", "--mount", "/usr:/a", "--mount", "/etc:/a"], "/a is taken by another"),
}


def trainshed(*words, text=None):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60, input=text)


@pytest.mark.parametrize("case", FILES)
def test_run_refuses_a_bad_file(case):
    text, words = FILES[case]
    done = trainshed("run", "-", text=text)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("case", WORDS)
def test_bad_usage_says_what_is_wrong(case):
    words, expected = WORDS[case]
    done = trainshed(*words)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr + done.stdout


def test_commands_without_a_cluster_say_how_to_start_one():
    for words in (["kubeconfig"], ["logs", "job"], ["status"]):
        done = trainshed(*words, "--name", "not-there")
        assert done.returncode == 1, words
        assert "trainshed up" in done.stderr, words
