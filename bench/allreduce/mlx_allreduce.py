#!/usr/bin/env python3
"""MLX's all_sum over MPI, measured and verified: the options and JSON lines of `allreduce`, backend "mlx".

    mpirun -n 4 python3 mlx_allreduce.py --sizes 1K,1M --json

A call is mx.distributed.all_sum and its evaluation. MLX decides by itself whether the result takes the
input's memory; here the input is kept, so it does not.
"""

import time

UNIX_START = time.time()

import argparse
import json
import math
import os
import socket
import sys
import traceback

ITERATIONS_MIN = 5
LINE_BYTES_MAX = 8191
SAMPLE_LINE_BYTES_MAX = 4000
# bytes, and the magnitude up to which all integers are exact
DTYPES = {
    "float32": (4, 1 << 24),
    "float16": (2, 1 << 11),
    "bfloat16": (2, 1 << 8),
    "float64": (8, 1 << 53),
    "int32": (4, (1 << 31) - 1),
}


class Usage(Exception):
    pass


class Parser(argparse.ArgumentParser):
    """All ranks end together, after MPI's start, so that no launcher kills the one that speaks."""

    def error(self, message):
        raise Usage(message)


def size_of(text):
    scale = {"K": 10, "M": 20, "G": 30}.get(text[-1:].upper())
    digits = text[:-1] if scale else text
    if not (digits.isascii() and digits.isdigit() and int(digits) > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a size: bytes, or a number with K, M or G")
    return int(digits) << (scale or 0)


def sizes_of(text):
    return [size_of(word) for word in text.split(",")]


def number(kind, least, most):
    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is not between {least} and {most}")
        return value

    return read


def parse_options(words):
    parser = Parser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--min", type=size_of, help="smallest size: bytes, or with K, M or G (8)")
    parser.add_argument("--max", type=size_of, help="largest size (64M)")
    parser.add_argument("--factor", type=number(int, 2, 1 << 30), help="each size is the one before times this (2)")
    parser.add_argument("--step", type=size_of, help="... or plus this many bytes")
    parser.add_argument("--sizes", type=sizes_of, help="these sizes instead: 1K,64K,1M")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--op", choices=["sum"], default="sum")
    parser.add_argument("--out-of-place", action="store_true", help="the only way here")
    parser.add_argument("--warmup", type=number(int, 0, 10**6), default=5)
    parser.add_argument("--iterations", type=number(int, 1, 10**7), default=1000)
    parser.add_argument("--budget", type=number(float, 0.001, 86400), default=1.0, help="seconds per size")
    parser.add_argument("--backend", choices=["mlx"], default="mlx")
    parser.add_argument("--timing", choices=["slowest", "osu"], default="slowest")
    parser.add_argument("--delay", type=number(float, 0, 10000), default=0.0, help="percent")
    parser.add_argument("--json", action="store_true", help="machine-readable lines, too")
    parser.add_argument("--quiet", action="store_true", help="no table")
    options = parser.parse_args(words)
    if options.sizes and (options.min or options.max or options.factor or options.step):
        raise Usage("argument --sizes: excludes --min, --max, --factor and --step")
    if options.factor and options.step:
        raise Usage("argument --step: excludes --factor")
    options.sizes = options.sizes or sweep(options)
    element = DTYPES[options.dtype][0]
    for size in options.sizes:
        if not element <= size < element << 31:
            raise Usage(f"argument --sizes: {size} is less than one {options.dtype}, or more than 2147483647")
    options.sizes = list(dict.fromkeys(size - size % element for size in options.sizes))
    return options


def sweep(options):
    size, most = options.min or 8, options.max or 64 << 20
    if most < size:
        raise Usage(f"argument --max: {most} is less than --min {size}")
    sizes = []
    while size <= most:
        sizes.append(size)
        size = size + options.step if options.step else size * (options.factor or 2)
    return sizes


def next_block(done, elapsed_s, iterations, budget_s):
    """As blocks.hpp: all ranks make the calls that rank 0 decides on."""
    if done < ITERATIONS_MIN:
        return min(iterations, ITERATIONS_MIN) - done
    left_s = budget_s - elapsed_s
    if done >= iterations or left_s <= 0:
        return 0
    wanted = left_s / (elapsed_s / done) / 4 if elapsed_s > 0 else iterations
    return int(max(1, min(wanted, iterations - done)))


def quantile(ordered, p):
    place = p * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def summary(samples):
    ordered = sorted(samples)
    middle = quantile(ordered, 0.5)
    us = {"min": ordered[0], "p50": middle, "p95": quantile(ordered, 0.95), "p99": quantile(ordered, 0.99)}
    us["mad"] = quantile(sorted(abs(sample - middle) for sample in samples), 0.5)
    us["mean"] = math.fsum(samples) / len(samples)
    return {name: round(value, 3) for name, value in us.items()}


class Bench:
    def __init__(self, options):
        # Not before the options are read: MLX takes a while.
        import mlx.core as mx
        from mlx_mpi import Mpi, Pacing

        self.options, self.mx = options, mx
        start = time.monotonic()
        self.group = mx.distributed.init(strict=True, backend="mpi")
        self.init_s, self.init_done_unix_s = time.monotonic() - start, time.time()
        self.mpi = Mpi()
        start = time.monotonic()
        self.mpi.sum([1.0])
        self.first_collective_s = time.monotonic() - start
        self.pacing = Pacing(self.mpi.library)
        self.seed = 0

    def values(self, rank, count, seed):
        """Small integers, so few that their sum over ranks is exact in the type (see pattern.hpp)."""
        mx, most = self.mx, DTYPES[self.options.dtype][1]
        magnitude = max(1, min(127, most // self.mpi.size))
        every = max(1, math.ceil(self.mpi.size / most))
        index = mx.arange(count, dtype=mx.uint32)
        mixed = (index + mx.array(rank * 7919 + seed * 104729 + 1, dtype=mx.uint32)) * mx.array(2654435761, dtype=mx.uint32)
        mixed = (mixed ^ (mixed >> 15)) * mx.array(2246822519, dtype=mx.uint32)
        mixed = (mixed ^ (mixed >> 13)) % (2 * magnitude + 1)
        taken = (index + rank) % every == 0
        return mx.where(taken, mixed.astype(mx.int32) - magnitude, 0)

    def input(self, count, seed):
        mx = self.mx
        array = self.values(self.mpi.rank, count, seed).astype(getattr(mx, self.options.dtype), stream=mx.cpu)
        mx.eval(array)
        return array

    def wrong(self, result, count, seed):
        mx = self.mx
        total = mx.zeros(count, dtype=mx.int32)
        for rank in range(self.mpi.size):
            total = total + self.values(rank, count, seed)
            mx.eval(total)
        expected = total.astype(result.dtype, stream=mx.cpu)
        return int(mx.sum(mx.not_equal(result, expected, stream=mx.cpu)).item())

    def timed_call(self, array):
        self.mpi.barrier()
        start = time.perf_counter()
        result = self.mx.distributed.all_sum(array, group=self.group)
        self.mx.eval(result)
        if self.options.delay > 0:
            until = start + (time.perf_counter() - start) * (1 + self.options.delay / 100)
            while time.perf_counter() < until:
                pass
        return result, (time.perf_counter() - start) * 1e6

    def warm_up(self, array):
        start = time.monotonic()
        for _ in range(self.options.warmup):
            self.timed_call(array)
            if self.mpi.from_first(int(time.monotonic() - start > self.options.budget)):
                break

    def timed_calls(self, array):
        """The last call's result, and this rank's microseconds of each."""
        samples, result, start = [], None, time.monotonic()
        while True:
            elapsed_s = time.monotonic() - start
            block = next_block(len(samples), elapsed_s, self.options.iterations, self.options.budget)
            block = self.mpi.from_first(block)
            if block == 0:
                return result, samples
            for _ in range(block):
                result, us = self.timed_call(array)
                samples.append(us)

    def measure(self, size):
        from mlx_mpi import cpu_seconds, other_cpu_share

        count = size // DTYPES[self.options.dtype][0]
        self.seed += 1
        array = self.input(count, self.seed)
        self.warm_up(array)
        cpu, paced = cpu_seconds(), self.pacing.counts()
        result, own_us = self.timed_calls(array)
        share = other_cpu_share(self.mpi, cpu, cpu_seconds())
        infeasible, calls = self.mpi.sum([b - a for a, b in zip(paced, self.pacing.counts())])
        wrong = self.wrong(result, count, self.seed)
        # Another input: what an earlier call left behind is wrong now.
        self.seed += 1
        result, _ = self.timed_call(self.input(count, self.seed))
        wrong += self.wrong(result, count, self.seed)
        row = {"allreduce": "row", "bytes": size, "count": count, "dtype": self.options.dtype, "op": "sum"}
        row |= {"in_place": False, "iterations": len(own_us), "wrong": int(self.mpi.sum([float(wrong)])[0])}
        samples = self.combined(own_us)
        row |= self.figures(size, samples)
        row |= {"other_cpu_share": round(share, 3), "infeasible": infeasible / calls if calls else 0.0}
        if self.pacing.link:
            row["target_us"] = round(self.pacing.target_us(self.mpi.size, size), 3)
        return row, samples

    def combined(self, own_us):
        if self.options.timing == "slowest":
            return self.mpi.max(own_us)
        return [us / self.mpi.size for us in self.mpi.sum(own_us)]

    def figures(self, size, samples):
        us = summary(samples)
        algbw = size / us["p50" if self.options.timing == "slowest" else "mean"] / 1e3
        busbw = algbw * 2 * (self.mpi.size - 1) / self.mpi.size
        return {"us": us, "algbw_GBps": float(f"{algbw:.6g}"), "busbw_GBps": float(f"{busbw:.6g}")}

    def facts(self):
        from mlx_mpi import set_parameters

        options, mpi, hosts = self.options, self.mpi, {}
        for name in mpi.gather(socket.gethostname()):
            hosts[name] = hosts.get(name, 0) + 1
        cpus, parents = os.sched_getaffinity(0), os.sched_getaffinity(os.getppid())
        binding = "none" if len(cpus) >= len(parents) else "core" if len(cpus) == 1 else f"{len(cpus)} cpus"
        transports, parameters = mpi.transports(), list(mpi.parameters())
        by_memory = {"vader", "sm"} & set(transports)
        value = {name: value for name, value, _ in parameters}
        pinned = value.get("coll_tuned_use_dynamic_rules") == "true"
        algorithm = value.get("coll_tuned_allreduce_algorithm", "ignore") if pinned else "ignore"
        single_copy = value.get("btl_vader_single_copy_mechanism", value.get("smsc", "")) if by_memory else ""
        facts = {
            "allreduce": "run", "schema": 1, "ranks": mpi.size,
            "hosts": [{"name": name, "ranks": ranks} for name, ranks in hosts.items()],
            "backend": "mlx", "dtype": options.dtype, "op": "sum", "in_place": False, "timing": options.timing,
            "warmup": options.warmup, "iterations": options.iterations, "budget_s": options.budget,
            "delay_percent": options.delay, "mpi": mpi.version(), "transports": transports,
            "single_copy": single_copy, "yield_when_idle": mpi.yields_when_idle(), "binding": binding,
            "mca": list(set_parameters(parameters)), "cores": os.cpu_count(), "cpus_allowed": len(cpus),
            "algorithm": "Open MPI's choice by size" if algorithm == "ignore" else f"{algorithm} (pinned)",
            "unix_s": UNIX_START, "mpi_init_s": self.init_s, "init_done_unix_s": self.init_done_unix_s,
            "first_collective_s": self.first_collective_s, "argv": sys.argv, "mlx": self.mx.__version__,
            "device": str(self.mx.default_device()),
        }  # fmt: skip
        if self.pacing.link:
            facts["link"] = self.pacing.link
        while len(json.dumps(facts)) > LINE_BYTES_MAX and (facts["mca"] or facts["argv"]):
            longest = max(("mca", "hosts", "argv"), key=lambda key: len(json.dumps(facts[key])))
            facts[longest].pop()
            facts[f"{longest}_left_out"] = facts.get(f"{longest}_left_out", 0) + 1
        return facts


def sample_lines(size, samples):
    part, first, length = [], 0, 0
    for index, us in enumerate(samples):
        text = json.dumps(round(us, 3))
        if part and length + len(text) + 80 > SAMPLE_LINE_BYTES_MAX:
            yield {"allreduce": "samples", "bytes": size, "first": first, "us": part}
            part, first, length = [], index, 0
        part.append(round(us, 3))
        length += len(text) + 1
    yield {"allreduce": "samples", "bytes": size, "first": first, "us": part}


def table_row(row, timing):
    us = row["us"]
    time_us = us["p50" if timing == "slowest" else "mean"]
    return (
        f"{row['bytes']:13} {row['count']:13} {row['dtype']:>9} {'sum':>7} {-1:6} {time_us:7.2f} "
        f"{row['algbw_GBps']:7.2f} {row['busbw_GBps']:7.2f} {row['wrong']:6} {us['min']:7.2f} {us['p95']:7.2f}"
    )


def run(bench):
    options, start, wrong = bench.options, time.monotonic(), 0
    first = bench.mpi.rank == 0
    facts = bench.facts()

    def put(line):
        if first and options.json:
            print(json.dumps(line, separators=(",", ":")), flush=True)

    def say(text):
        if first and not options.quiet:
            print(text, flush=True)

    put(facts)
    say(f"# mlx {facts['mlx']} on {facts['device']}, {facts['ranks']} ranks, over {'+'.join(facts['transports'])}")
    say("#       size         count      type   redop   root    time   algbw   busbw #wrong     min     p95")
    for size in options.sizes:
        row, samples = bench.measure(size)
        wrong += row["wrong"]
        say(table_row(row, options.timing))
        put(row)
        for line in sample_lines(size, samples):
            put(line)
    say(f"# Out of bounds values : {wrong} {'FAILED' if wrong else 'OK'}")
    put({"allreduce": "end", "wrong": wrong, "seconds": round(time.monotonic() - start, 3)})
    return 1 if wrong else 0


def end_with_mistake(mistake):
    from mlx_mpi import Mpi
    import mlx.core as mx

    mx.distributed.init(strict=True, backend="mpi")
    mpi = Mpi()
    if mpi.rank == 0:
        print(f"mlx_allreduce.py: {mistake}", file=sys.stderr, flush=True)
    mpi.finalize()
    os._exit(2)


def main():
    try:
        options = parse_options(sys.argv[1:])
    except Usage as mistake:
        end_with_mistake(mistake)
    bench = Bench(options)
    code = run(bench)
    bench.mpi.finalize()
    # MLX would finalize MPI once more.
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    try:
        main()
    except Exception:
        # The other ranks wait for this one; an exit code other than 0 makes mpirun end them.
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)
