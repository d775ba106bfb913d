"""`trainshed bench`: an all-reduce by a TrainJob beside bare mpirun, and what is made of the figures."""

import json
import subprocess
import uuid
import xml.dom.minidom

import pytest
from shed import BINARY, leftovers, readable

FAST = ["--sizes", "8,64K", "--budget", "0.02", "--repeats", "2"]
NAMES = {"bytes", "dtype", "backend", "transport", "flow_p50_us", "bare_p50_us", "ratio", "wrong"}


def bench(*words, codes=(0,)):
    ended = subprocess.run([BINARY, "bench", *words], capture_output=True, text=True, timeout=240)
    assert ended.returncode in codes, f"{words}: exit {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended


def all_reduce(*words):
    # A loaded machine may make the verdict anything; what is measured must be there and right.
    return json.loads(bench("allreduce", *FAST, "-o", "json", *words, codes=(0, 1)).stdout)


@pytest.mark.parametrize("words, ranks, transport", [
    (["--nodes", "2"], 2, "tcp"),
    (["--nodes", "2", "--slots", "2"], 4, "vader+tcp"),
    (["--nodes", "2", "--transport", "shm"], 2, "vader"),
    (["--nodes", "2", "--backend", "mlx"], 2, "tcp"),
])
def test_flow_and_bare_measure_the_same(words, ranks, transport):
    result = all_reduce("--floor", *words)
    assert [row["bytes"] for row in result["rows"]] == [8, 65536]
    for row in result["rows"]:
        assert NAMES <= row.keys() and row["wrong"] == 0 and row["flow_p50_us"] > 0 and row["bare_p50_us"] > 0
        assert set(row["transport"].split("+")) == set(transport.split("+")), result["notes"]
    assert result["configuration"]["ranks"] == ranks
    assert [stage["name"] for stage in result["launch"]["flow"]][-2:] == ["mpirun to MPI_Init", "first collective"]
    assert result["machine"]["cores"] >= 1 and result["verdict"]
    assert not any("differ in" in note for note in result["notes"]), result["notes"]
    assert any("Open MPI parameters from" in note and "mpi_yield_when_idle" in note for note in result["notes"])


def test_a_link_model_paces_both_sides(tmp_path):
    link = tmp_path / "slow.yaml"
    link.write_text("latency_us: 2000\nbandwidth_gbps: 0.1\n")
    readable(tmp_path)
    result = all_reduce("--floor", "--link", str(link))
    for row, floor_us in zip(result["rows"], (4000, 4000 + 65536 * 8 / 100)):
        assert row["flow_p50_us"] > floor_us and row["bare_p50_us"] > floor_us, row
    assert result["configuration"]["tier"] == "paced"


def test_every_form_of_the_result_is_written(tmp_path):
    files = {name: tmp_path / name for name in ("save", "report", "junit", "csv", "google-benchmark", "history")}
    words = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    shown = bench("allreduce", *FAST, "--predict", "ranks=64,latency_us=5,bandwidth_gbps=100", *words, codes=(0, 1))
    assert "64 KiB" in shown.stdout and "recursive doubling" in shown.stdout
    saved = json.loads(files["save"].read_text())
    assert saved["schema"] == "trainshed.bench/v1" and len(saved["rows"]) == 2
    assert "<svg" in files["report"].read_text() and "https://" not in files["report"].read_text()
    xml.dom.minidom.parse(str(files["junit"]))
    assert files["csv"].read_text().startswith("bytes,")
    # Runs that others disturbed are left out of it: on a loaded machine all of them.
    usable = json.loads(files["google-benchmark"].read_text())["benchmarks"]
    trend = json.loads(bench("history", str(files["history"]), "-o", "json").stdout)
    assert [size["bytes"] for size in trend[0]["sizes"]] == [8, 65536]
    same = bench("compare", str(files["save"]), str(files["save"]), "--junit", str(tmp_path / "j.xml"))
    assert "verdict:" in same.stdout
    bench("compare", str(files["google-benchmark"]), str(files["google-benchmark"]), codes=(0,) if usable else (2,))
    mixed = bench("compare", str(files["save"]), str(files["google-benchmark"]), codes=(2,))
    assert "compare two of a kind" in mixed.stderr


@pytest.mark.parametrize("words, said", [
    (["--baseline", "BAD"], "not JSON"),
    (["--predict", "ranks=x"], "--predict"),
    (["--sizes", "12Q"], "12Q"),
    (["--nodes", "0"], "--nodes"),
    (["--link", "BAD"], "latency_us"),
])
def test_mistakes_are_named_and_leave_nothing(tmp_path, words, said):
    bad = tmp_path / "bad"
    bad.write_text("nonsense: [")
    tmp_path.chmod(0o755)
    name = f"bench-mistake-{uuid.uuid4().hex[:8]}"
    ended = bench("allreduce", "--name", name, "--repeats", "1", *[str(bad) if w == "BAD" else w for w in words],
                  codes=(1, 2, 3))
    assert said in ended.stderr, ended.stderr
    assert leftovers(name, set()) == []
