"""JAX on 2 nodes: a model trained on data that is spread over the processes, as in Kubeflow Trainer's JAX example.

    python jax_training.py            # after: trainshed image build jax
"""

import sys

from kubeflow.trainer import CustomTrainer, TrainerClient

NODES = 2


def train():
    import os

    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    from flax import nnx
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    # The runtime names the coordinator, which is the first node, and this process's number.
    jax.distributed.initialize(
        coordinator_address=os.environ["JAX_COORDINATOR_ADDRESS"],
        num_processes=int(os.environ["JAX_NUM_PROCESSES"]),
        process_id=int(os.environ["JAX_PROCESS_ID"]),
    )
    process, processes = jax.process_index(), jax.process_count()
    print(f"process {process} of {processes}, {jax.device_count()} devices, {jax.local_device_count()} here")

    # Every process has its own half of the samples; together they are one array over all devices.
    by_sample = NamedSharding(Mesh(jax.devices(), "samples"), PartitionSpec("samples"))
    random = np.random.default_rng(process)
    inputs = random.normal(size=(512, 8)).astype("float32")
    labels = (inputs[:, :4].sum(axis=1) > inputs[:, 4:].sum(axis=1)).astype("int32")
    x = jax.make_array_from_process_local_data(by_sample, inputs)
    y = jax.make_array_from_process_local_data(by_sample, labels)
    print(f"process {process}: {len(inputs)} of {x.shape[0]} samples")

    class Classifier(nnx.Module):
        def __init__(self, rngs):
            self.hidden = nnx.Linear(8, 32, rngs=rngs)
            self.output = nnx.Linear(32, 2, rngs=rngs)

        def __call__(self, x):
            return self.output(nnx.relu(self.hidden(x)))

    graph, state = nnx.split(Classifier(nnx.Rngs(0)))
    optimizer = optax.adam(0.02)
    progress = optimizer.init(state)

    # The mean is over all processes' samples, so all come to the same gradients.
    @jax.jit
    def step(state, progress, x, y):
        def loss_of(state):
            return optax.softmax_cross_entropy_with_integer_labels(nnx.merge(graph, state)(x), y).mean()

        loss, gradients = jax.value_and_grad(loss_of)(state)
        updates, progress = optimizer.update(gradients, progress, state)
        return loss, optax.apply_updates(state, updates), progress

    for epoch in range(1, 51):
        loss, state, progress = step(state, progress, x, y)
        if epoch in (1, 50):
            print(f"process {process}: epoch {epoch}, loss {float(loss):.6f}")
    total = float(sum(jnp.abs(leaf).sum() for leaf in jax.tree.leaves(state)))
    print(f"process {process}: weights add up to {total:.6f}")


def main():
    client = TrainerClient()
    job_id = client.train(
        runtime=client.get_runtime("jax-distributed"),
        trainer=CustomTrainer(func=train, num_nodes=NODES, resources_per_node={"cpu": 3}),
    )
    client.wait_for_job_status(job_id)
    for node in range(NODES):
        print("\n".join(client.get_job_logs(name=job_id, step=f"node-{node}")))
    client.delete_job(job_id)


if __name__ == "__main__":
    sys.exit(main())
