#!/usr/bin/env python3
"""MLX's twin of the all-reduce program: `mlx_test.py BIN LIB BROKEN_MPI`; exits 77 where MLX is not installed.

MLX is looked for where `trainshed image build mlx` puts it, or at TRAINSHED_MLX_PATH (a PYTHONPATH)."""

import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TWIN = ROOT / "bench" / "allreduce" / "mlx_allreduce.py"
MPIRUN = (
    "mpirun --allow-run-as-root --oversubscribe --bind-to none --timeout 100"
    " --mca btl_tcp_if_include lo --mca oob_tcp_if_include lo"
).split()
PROGRAM, PACE, BROKEN_MPI = sys.argv[1:4]


def mlx_place():
    """(interpreter, PYTHONPATH) of an MLX; nothing when there is none."""
    if path := os.environ.get("TRAINSHED_MLX_PATH"):
        return sys.executable, path
    data = os.environ.get("XDG_DATA_HOME", os.path.expanduser("~/.local/share"))
    for place in (data + "/trainshed", "/var/lib/trainshed"):
        for path in glob.glob(place + "/environments/mlx/usr/local/lib/python3*/dist-packages"):
            about = json.loads((pathlib.Path(place) / "environments/mlx/.trainshed.json").read_text())
            return about["python"], path
    return None


def launch(ranks, words, **environment):
    exported = [word for name, value in environment.items() for word in ("-x", f"{name}={value}")]
    done = subprocess.run(
        [*MPIRUN, "-n", str(ranks), *exported, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"allreduce"')]
    return done.returncode, done.stdout, lines


def twin(ranks, *options, **environment):
    python, path = PLACE
    return launch(ranks, [python, "-B", str(TWIN), *options], PYTHONPATH=path, **environment)


def of(lines, kind):
    return [line for line in lines if line["allreduce"] == kind]


class Twin(unittest.TestCase):
    def test_prints_the_fields_of_the_program(self):
        options = ["--json", "--sizes", "1K,64K", "--iterations", "700"]
        code, output, theirs = twin(2, *options)
        self.assertEqual(code, 0, output)
        _, _, ours = launch(2, [PROGRAM, *options], ASAN_OPTIONS="detect_leaks=0")
        for kind in ("run", "row", "samples", "end"):
            missing = set(of(ours, kind)[0]) - set(of(theirs, kind)[0])
            self.assertEqual(missing, set(), kind)
        ours, theirs = of(ours, "run")[0], of(theirs, "run")[0]
        for field in ("ranks", "hosts", "mpi", "transports", "single_copy", "yield_when_idle", "binding", "mca", "cores"):
            self.assertEqual(ours[field], theirs[field], field)

    def test_verifies_every_type(self):
        for dtype in ("float32", "float16", "bfloat16", "float64", "int32"):
            code, output, lines = twin(3, "--json", "--sizes", "8,64K", "--iterations", "5", "--dtype", dtype)
            self.assertEqual(code, 0, output)
            self.assertEqual([row["wrong"] for row in of(lines, "row")], [0, 0])

    def test_keeps_all_samples(self):
        _, output, lines = twin(2, "--json", "--sizes", "8", "--iterations", "1500", "--timing", "osu")
        samples = [us for line in of(lines, "samples") for us in line["us"]]
        self.assertGreater(len(of(lines, "samples")), 1, output)
        self.assertEqual(len(samples), of(lines, "row")[0]["iterations"])

    def test_finds_what_a_broken_all_reduce_does(self):
        for way in ("flip", "idle"):
            options = ["--json", "--sizes", "4K", "--iterations", "20"]
            code, output, lines = twin(2, *options, MLX_MPI_LIBNAME=BROKEN_MPI, BROKEN_MPI=way)
            self.assertEqual(code, 1, output)
            self.assertGreater(of(lines, "row")[0]["wrong"], 0)

    def test_is_paced(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as link:
            link.write("latency_us: 100\nbandwidth_gbps: 0.04\n")
            link.flush()
            options = ["--json", "--sizes", "1M", "--iterations", "8", "--warmup", "1", "--budget", "9"]
            paced = {"MLX_MPI_LIBNAME": PACE, "TRAINSHED_LINK": link.name, "OMPI_MCA_mpi_yield_when_idle": "1"}
            code, output, lines = twin(2, *options, **paced)
        self.assertEqual(code, 0, output)
        row = of(lines, "row")[0]
        self.assertAlmostEqual(row["target_us"], 209915.2)
        self.assertGreaterEqual(row["us"]["min"], row["target_us"])
        self.assertLess(row["us"]["p50"], row["target_us"] * 1.05)
        self.assertLess(row["infeasible"], 0.05)

    def test_refuses_mistakes_on_all_ranks(self):
        for words, message in (
            (["--max", "12Q"], "argument --max: '12Q' is not a size"),
            (["--op", "max"], "argument --op"),
            (["--in-place"], "--in-place"),
            (["--sizes", "1K", "--max", "2K"], "argument --sizes: excludes"),
            (["--min", "1K", "--max", "8"], "argument --max: 8 is less than --min 1024"),
        ):
            code, output, _ = twin(2, *words)
            self.assertEqual(code, 2, output)
            self.assertIn(message, output)


if __name__ == "__main__":
    PLACE = mlx_place()
    if not PLACE:
        print("SKIPPED: no MLX here; `trainshed image build mlx` or TRAINSHED_MLX_PATH brings it")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
