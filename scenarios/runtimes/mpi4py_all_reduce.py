"""The DeepSpeed runtime's shape on 3 nodes, without DeepSpeed: mpirun, sshd and mpi4py.

    python mpi4py_all_reduce.py       # after: trainshed image build deepspeed
"""

import sys

from kubeflow.trainer import CustomTrainer, TrainerClient

NODES = 3


def all_reduce():
    import socket

    import numpy as np
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    numbers = np.arange(4, dtype="float64") + world.rank
    total = np.empty_like(numbers)
    world.Allreduce(numbers, total)
    library = MPI.Get_library_version().split(",")[0]
    print(f"{socket.gethostname()}: rank {world.rank} of {world.size}, {library}, sum {total.tolist()}")


def main():
    client = TrainerClient()
    job_id = client.train(
        runtime=client.get_runtime("deepspeed-distributed"),
        trainer=CustomTrainer(func=all_reduce, num_nodes=NODES),
    )
    client.wait_for_job_status(job_id)
    lines = list(client.get_job_logs(name=job_id, step="node-0"))
    print("\n".join(lines))
    client.delete_job(job_id)
    expected = [float(NODES * i + sum(range(NODES))) for i in range(4)]
    return 0 if sum(line.endswith(f"sum {expected}") for line in lines) == NODES else 1


if __name__ == "__main__":
    sys.exit(main())
