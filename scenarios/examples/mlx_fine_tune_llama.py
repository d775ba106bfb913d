"""Kubeflow Trainer's LoRA example for MLX on 4 nodes, or as many as named.

    python mlx_fine_tune_llama.py [NODES [ITERATIONS [BATCH_SIZE]]]       # 4 100 8, as in the example

Every rank needs the model and the data set in its Hugging Face cache. Pods see yours, so load both once on this machine:
`hf download meta-llama/Llama-3.2-3B-Instruct`, and in Python `datasets.load_dataset("mlx-community/WikiSQL")`. The
function is that of examples/mlx/language-modeling/fine-tune-llama.ipynb in kubeflow/trainer, unchanged (Apache-2.0, The
Kubeflow Authors).
"""

import os
import sys

from kubeflow.trainer import CustomTrainer, TrainerClient


def fine_tune_llama(hf_token: str, num_samples: str, batch_size: str):
    import types
    import os
    import mlx.core as mx
    from mlx_lm.lora import train_model, CONFIG_DEFAULTS
    from mlx_lm.tuner.datasets import load_dataset
    from mlx_lm.utils import load
    from mlx_lm.generate import generate

    os.environ["HF_TOKEN"] = hf_token

    # Set parameters for the mlx-lm.
    args = types.SimpleNamespace()
    args.model = "meta-llama/Llama-3.2-3B-Instruct"
    args.data = "mlx-community/WikiSQL"
    args.train = True
    # Configure LoRA settings to reduce number of trainable params.
    args.lora_parameters = {
        "rank": 8,
        "dropout": 0.05,
        "scale": 20.0,
    }

    args.iters = int(num_samples)
    args.batch_size = int(batch_size)

    # Set defaults for other required parameters
    for k, v in CONFIG_DEFAULTS.items():
        if not hasattr(args, k):
            setattr(args, k, v)

    model, tokenizer = load(args.model)
    train_set, valid_set, test_set = load_dataset(args, tokenizer)

    # Start the Llama distributed fine-tuning.
    train_model(args, model, train_set, valid_set)

    # Evaluate the fine-tuned adapter.
    dist = mx.distributed.init(strict=True, backend="mpi")
    if dist.rank() == 0:
        print("=" * 100)
        print(f"Training is complete. Adapters saved to: {args.adapter_path}")
        print("Evaluate the fine-tuned LoRA adapter for Llama 3.2")

        finetuned_model, finetuned_tokenizer = load(
            args.model, adapter_path=args.adapter_path
        )

        # Generate response using the fine-tuned adapter.
        sample_prompt = "What is SQL?"

        print(f"Prompt: {sample_prompt}")
        print("Response:")

        response = generate(
            model=finetuned_model,
            tokenizer=finetuned_tokenizer,
            prompt=sample_prompt,
            max_tokens=1000,
            verbose=False,
        )

        print(response)


def variables():
    """Where no hub is in reach, HF_HUB_OFFLINE=1 saves its library's retries; mpirun has to hand it to the other ranks."""
    names = [name for name in ("HF_HUB_OFFLINE", "https_proxy") if os.environ.get(name)]
    return {name: os.environ[name] for name in names} | {"OMPI_MCA_mca_base_env_list": ";".join(names)} if names else {}


def create(client, num_nodes=4, num_samples=100, batch_size=8):
    return client.train(
        runtime=client.get_runtime("mlx-distributed"),
        trainer=CustomTrainer(
            func=fine_tune_llama,
            func_args={
                "hf_token": os.environ.get("HF_TOKEN", ""),
                "num_samples": str(num_samples),
                # Batch size must be divisible by the number of nodes.
                "batch_size": str(batch_size),
            },
            num_nodes=num_nodes,
            resources_per_node={"gpu": 1},
            env=variables(),
        ),
    )


def main():
    client = TrainerClient()
    job_id = create(client, *map(int, sys.argv[1:]))
    for line in client.get_job_logs(job_id, follow=True):
        print(line)
    client.wait_for_job_status(job_id)


if __name__ == "__main__":
    main()
