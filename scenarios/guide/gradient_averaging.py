"""The guide's two gradient averaging patterns on 4 nodes, checked against the mean computed without MPI.

    python gradient_averaging.py
"""

import re
import sys

from kubeflow.trainer import CustomTrainer, TrainerClient

NODES = 4


def average_gradients():
    import mlx.core as mx
    import mlx.nn as nn

    mx_dist = mx.distributed.init()

    # Every rank can compute every rank's gradient, so it knows what the average must be.
    def gradient_of(rank, factor):
        return mx.sin(mx.arange(1000, dtype=mx.float32) * (rank + 1)) * factor

    def mean(factor):
        return sum(gradient_of(r, factor) for r in range(mx_dist.size())) / mx_dist.size()

    def error(average, factor):
        difference = mx.max(mx.abs(average - mean(factor)))
        return (difference / mx.max(mx.abs(mean(factor)))).item()

    # Method 1: Using mx.distributed.all_sum directly.
    gradient = gradient_of(mx_dist.rank(), 1)
    averaged_grad = mx.distributed.all_sum(gradient) / mx_dist.size()

    # Method 2: Using mlx.nn.average_gradients (recommended).
    gradients = {"layer1": gradient_of(mx_dist.rank(), 1), "layer2": gradient_of(mx_dist.rank(), 2)}
    averaged_gradients = nn.average_gradients(gradients)

    worst_nn = max(error(averaged_gradients["layer1"], 1), error(averaged_gradients["layer2"], 2))
    print(f"rank {mx_dist.rank()} of {mx_dist.size()}: all_sum off by {error(averaged_grad, 1):.1e}, "
          f"average_gradients off by {worst_nn:.1e}")


def main():
    client = TrainerClient()
    job_id = client.train(
        runtime=client.get_runtime("mlx-distributed"),
        trainer=CustomTrainer(func=average_gradients, num_nodes=NODES),
    )
    client.wait_for_job_status(job_id)
    lines = list(client.get_job_logs(name=job_id, step="node-0"))
    print("\n".join(lines))
    rows = re.findall(r"^rank \d+ of (\d+): all_sum off by (\S+), average_gradients off by (\S+)$",
                      "\n".join(lines), re.M)
    right = [row for row in rows if row[0] == str(NODES) and max(map(float, row[1:])) <= 1e-6]
    client.delete_job(job_id)
    return 0 if len(right) == NODES else 1


if __name__ == "__main__":
    sys.exit(main())
