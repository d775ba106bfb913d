"""Kubeflow Trainer's MNIST example for MLX on 3 nodes; the model goes to S3.

    export AWS_ENDPOINT_URL=http://127.0.0.1:5000 AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...   # MinIO, moto, ...
    python mlx_mnist.py BUCKET

An S3 server on this machine is host.trainshed.internal to pods. Each rank needs MNIST in its cache, ~/.cache/mlx.data:
pods see yours, once `mlx.data.datasets.load_mnist()` has downloaded it. The function is that of
examples/mlx/image-classification/mnist.ipynb in kubeflow/trainer, unchanged (Apache-2.0, The Kubeflow Authors).
"""

import os
import sys

from kubeflow.trainer import CustomTrainer, TrainerClient


def mlx_train_mnist(bucket: str, model_name: str):
    import time
    from functools import partial
    import mlx.core as mx
    import mlx.nn as nn
    import mlx.optimizers as optim
    from mlx.data.datasets import load_mnist
    import boto3

    # Define a simple MLP model with MLX.
    class MLP(nn.Module):
        def __init__(
            self, in_dims: int, hidden_dims: int, num_layers: int, out_dims: int
        ):
            super().__init__()
            layer_sizes = [in_dims] + [hidden_dims] * num_layers + [out_dims]
            self.layers = [
                nn.Linear(idim, odim)
                for idim, odim in zip(layer_sizes[:-1], layer_sizes[1:])
            ]

        def __call__(self, x):
            for layer in self.layers[:-1]:
                x = nn.relu(layer(x))
            return self.layers[-1](x)

    # Initializer MLX distributed backend.
    dist = mx.distributed.init(strict=True, backend="mpi")
    world_size = dist.size()
    rank = dist.rank()
    print(f"Start Distributed Training, WORLD_SIZE: {world_size}, RANK: {rank}")

    if rank == 0:
        print("Download MNIST dataset")

    # Load MNIST dataset and partition it.
    BATCH_SIZE = 128
    train_dataset = load_mnist()

    distributed_ds = (
        train_dataset.shuffle()
        .partition_if(world_size > 1, world_size, rank)
        .key_transform("image", lambda x: (x.astype("float32") / 255.0).ravel())
    )

    # Create the MLP model and SGD optimizer
    model = MLP(
        in_dims=distributed_ds[0]["image"].shape[-1],
        hidden_dims=32,
        num_layers=2,
        out_dims=10,
    )
    optimizer = optim.SGD(learning_rate=0.01)

    # Define function to calculate loss and accuracy.
    def loss_fn(model, x, y):
        output = model(x)
        loss = mx.mean(nn.losses.cross_entropy(output, y))
        acc = mx.mean(mx.argmax(output, axis=1) == y)
        return loss, acc

    # Define single training step.
    @partial(mx.compile, inputs=model.state, outputs=model.state)
    def step(x, y):
        loss_and_grad_fn = nn.value_and_grad(model, loss_fn)
        (loss, acc), grads = loss_and_grad_fn(model, x, y)
        # Average grads to aggregate them across distributed nodes.
        grads = nn.utils.average_gradients(grads)
        optimizer.update(model, grads)
        return loss, acc

    # Average statistic across distributed nodes.
    def average_stats(stats, count):
        with mx.stream(mx.cpu):
            stats = mx.distributed.all_sum(mx.array(stats))
            count = mx.distributed.all_sum(count)
            return (stats / count).tolist()

    # Start distributed training.
    if rank == 0:
        print("Start MLX training")
    for epoch in range(15):
        epoch_start = time.perf_counter()
        losses = accuracies = count = 0

        for batch_idx, batch_sample in enumerate(distributed_ds.batch(BATCH_SIZE)):
            x = mx.array(batch_sample["image"])
            y = mx.array(batch_sample["label"])
            loss, acc = step(x, y)
            mx.eval(loss, acc, model.state)

            losses += loss.item()
            accuracies += acc.item()
            count += 1

            # Print the results.
            if batch_idx % 10 == 0:
                loss, acc = average_stats([losses, accuracies], count)
                if rank == 0:
                    print(
                        "Epoch: {} [{}/{} ({:.0f}%)] \tTrain loss: {:.3f}, acc: {:.3f}".format(
                            epoch,
                            batch_idx * len(x),
                            len(train_dataset),
                            100.0 * batch_idx * len(x) / len(train_dataset),
                            loss,
                            acc,
                        )
                    )
        if rank == 0:
            print(
                "Epoch: {}, time: {:.2f} seconds\n\n".format(
                    epoch, time.perf_counter() - epoch_start
                )
            )

    # Finally, export model to S3.
    if rank == 0:
        print("Exporting MNIST model to S3")
        model.save_weights(model_name)
        boto3.client("s3").upload_file(model_name, bucket, model_name)


def s3_of_this_machine():
    """The environment's AWS variables, as pods must see them."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    endpoint = variables.get("AWS_ENDPOINT_URL", "")
    for loopback in ("127.0.0.1", "localhost"):
        endpoint = endpoint.replace(f"//{loopback}", "//host.trainshed.internal")
    return variables | ({"AWS_ENDPOINT_URL": endpoint} if endpoint else {})


def create(client, bucket, model_name="mnist.npz", env=None):
    return client.train(
        runtime=client.get_runtime("mlx-distributed"),
        trainer=CustomTrainer(
            func=mlx_train_mnist,
            func_args={"bucket": bucket, "model_name": model_name},
            num_nodes=3,
            packages_to_install=["boto3"],
            resources_per_node={"gpu": 1},
            env=s3_of_this_machine() if env is None else env,
        ),
    )


def main():
    client = TrainerClient()
    job_id = create(client, sys.argv[1])
    for line in client.get_job_logs(job_id, follow=True):
        print(line)
    client.wait_for_job_status(job_id)


if __name__ == "__main__":
    main()
