"""PyTorch with gloo on 3 nodes: each rank adds its own numbers, all get the sum.

    python torch_all_reduce.py        # after: trainshed image build torch
"""

import sys

from kubeflow.trainer import CustomTrainer, TrainerClient

NODES = 3


def all_reduce():
    import socket

    import torch
    import torch.distributed as dist

    backend = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend)
    device = "cuda" if backend == "nccl" else "cpu"
    numbers = torch.arange(4, dtype=torch.float32, device=device) + dist.get_rank()
    dist.all_reduce(numbers)
    print(f"{socket.gethostname()}: rank {dist.get_rank()} of {dist.get_world_size()}, {backend}, sum {numbers.tolist()}")
    dist.destroy_process_group()


def main():
    client = TrainerClient()
    job_id = client.train(
        runtime=client.get_runtime("torch-distributed"),
        trainer=CustomTrainer(func=all_reduce, num_nodes=NODES),
    )
    client.wait_for_job_status(job_id)
    expected = [float(NODES * i + sum(range(NODES))) for i in range(4)]
    right = 0
    for node in range(NODES):
        lines = list(client.get_job_logs(name=job_id, step=f"node-{node}"))
        print("\n".join(lines))
        right += any(line.endswith(f"sum {expected}") for line in lines)
    client.delete_job(job_id)
    return 0 if right == NODES else 1


if __name__ == "__main__":
    sys.exit(main())
