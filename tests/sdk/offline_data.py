"""What the examples download, made here, since no hub is reachable in tests:

    offline_data.py digits DIRECTORY COUNT   so many in MNIST's form, from scikit-learn's 1,797 scanned digits
    offline_data.py llama DIRECTORY          a Hugging Face cache with a tiny Llama and a data set, under the examples' names

Runs with the packages of the environments that the examples run in.
"""

import json
import pathlib
import pickle
import shutil
import sys

HELD_OUT = 360
MODEL, DATA = "meta-llama/Llama-3.2-3B-Instruct", "mlx-community/WikiSQL"


# ---- digits


def enlarged(image):
    """8 x 8 values of 0..16 as 28 x 28 of 0..1, by linear interpolation."""
    import numpy as np

    at = np.linspace(0, 7, 28)
    rows = np.stack([np.interp(at, range(8), column) for column in image.T], axis=1)
    return np.stack([np.interp(at, range(8), row) for row in rows]) / 16


def placed(image, down, right, strength):
    """As MNIST has it: bytes, 28 x 28 x 1. Without a border and with broad strokes, from which the example learns faster
    than from MNIST's: there it comes to 81 % in its 15 epochs, as its ranks begin with models of their own."""
    import numpy as np

    moved = np.roll(np.pad(image, 1), (down, right), (0, 1))[1:-1, 1:-1]
    return np.clip(moved * strength * 255, 0, 255).astype("uint8")[..., None]


def make_digits(directory, count):
    """count images that are one of those not held out, moved a little and lighter or darker."""
    import numpy as np
    from sklearn.datasets import load_digits

    random = np.random.default_rng(0)
    digits = load_digits()
    images = [enlarged(image) for image in digits.images]
    order = random.permutation(len(images))
    test, train = order[:HELD_OUT], order[HELD_OUT:]

    def sample(index, moved=0, strength=1.6):
        down, right = random.integers(-moved, moved + 1, 2)
        return {"image": placed(images[index], down, right, strength), "label": np.uint8(digits.target[index])}

    sets = {
        "train.pkl": [sample(random.choice(train), 1, random.uniform(1.3, 1.9)) for _ in range(count)],
        "test.pkl": [sample(index) for index in test],
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, samples in sets.items():
        (directory / name).write_bytes(pickle.dumps(samples))


# ---- llama


TABLES = ["players", "cities", "races", "songs", "ships", "trains"]
COLUMNS = ["name", "year", "points", "country", "team", "position"]


def sentences(first, count):
    for i in range(first, first + count):
        table, column, other = TABLES[i % 6], COLUMNS[i % 5], COLUMNS[(i // 6) % 6]
        yield (f"table: {table} columns: {', '.join(COLUMNS)} Q: Which {column} of {table} has {other} {i % 97}? "
               f"A: SELECT {column} FROM {table} WHERE {other} = {i % 97}")


def make_tokenizer(directory):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=["<|begin_of_text|>", "<|eot_id|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sentences(0, 2000), trainer)
    tokenizer.save(str(directory / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>",
              "eos_token": "<|eot_id|>", "model_max_length": 2048}
    (directory / "tokenizer_config.json").write_text(json.dumps(config))
    return tokenizer.get_vocab_size()


def make_model(directory, vocabulary):
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_lm.models.llama import Model, ModelArgs

    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "num_hidden_layers": 16,  # as many as the example tunes
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5,
        "vocab_size": vocabulary,
        "max_position_embeddings": 2048,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }
    (directory / "config.json").write_text(json.dumps(config))
    mx.random.seed(0)
    weights = {name: mx.random.normal(w.shape) * 0.02 if w.ndim > 1 else w
               for name, w in tree_flatten(Model(ModelArgs.from_dict(config)).parameters())}
    mx.save_safetensors(str(directory / "model.safetensors"), weights, metadata={"format": "mlx"})


def make_dataset(cache):
    """What `datasets` keeps of a data set that it has once loaded from the hub."""
    from datasets import load_dataset

    work = cache / "work"
    work.mkdir()
    files = {}
    for split, first, count in (("train", 0, 1000), ("valid", 1000, 200), ("test", 1200, 200)):
        path = work / f"{split}.jsonl"
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in sentences(first, count)))
        files[split] = str(path)
    load_dataset("json", data_files=files, cache_dir=str(work / "cache"))
    made = next((work / "cache/json").glob("*/0.0.0/*/dataset_info.json")).parent
    owner, name = DATA.split("/")
    final = cache / "datasets" / f"{owner}___wiki_sql" / "default" / "0.0.0" / made.name
    final.mkdir(parents=True)
    for split in files:
        shutil.move(made / f"json-{split}.arrow", final / f"wiki_sql-{split}.arrow")
    info = json.loads((made / "dataset_info.json").read_text())
    info |= {"config_name": "default", "dataset_name": "wiki_sql"}
    for split in info["splits"].values():
        split["dataset_name"] = "wiki_sql"
    (final / "dataset_info.json").write_text(json.dumps(info))
    shutil.rmtree(work)


def make_llama(cache):
    commit = "0" * 40
    repository = cache / "hub" / f"models--{MODEL.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text(commit)
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    make_model(snapshot, make_tokenizer(snapshot))
    make_dataset(cache)


if __name__ == "__main__":
    what, where, *count = sys.argv[1:]
    {"digits": make_digits, "llama": make_llama}[what](pathlib.Path(where), *map(int, count))
