"""The guide's "MLX Distributed Environment", with the Kubeflow SDK of today (0.5).

    trainshed up -d && eval "$(trainshed kubeconfig --export)"
    python get_mlx_dist.py

Where the guide reads `get_job_logs(name=job_id, node_rank=0)["node-0"]`, the SDK now has `step="node-0"` and gives the
lines one by one. Jobs stay after they end, for `kubectl` and `trainshed logs`; `--delete` removes this one.
"""

import sys

from kubeflow.trainer import CustomTrainer, TrainerClient


def get_mlx_dist():
    import mlx.core as mx

    # Initialize MLX distributed backend.
    dist = mx.distributed.init()

    print("MLX Distributed Environment")
    print(f"WORLD_SIZE: {dist.size()}")
    print(f"RANK: {dist.rank()}")
    print(f"Device: {mx.default_device()}")


def main():
    client = TrainerClient()

    # Create the TrainJob on 3 nodes.
    job_id = client.train(
        runtime=client.get_runtime("mlx-distributed"),
        trainer=CustomTrainer(
            func=get_mlx_dist,
            num_nodes=3,
        ),
    )
    print(f"TrainJob {job_id} created", file=sys.stderr)

    # Wait for TrainJob to complete.
    client.wait_for_job_status(job_id)

    # Since we launch MLX with `mpirun`, all logs should be consumed from the node-0.
    for line in client.get_job_logs(name=job_id, step="node-0"):
        print(line)
    if "--delete" in sys.argv:
        client.delete_job(job_id)


if __name__ == "__main__":
    main()
