"""XGBoost on 2 nodes: a classifier trained on two halves of the data, as in Kubeflow Trainer's XGBoost example.

    python xgboost_training.py        # after: trainshed image build xgboost
"""

import sys

from kubeflow.trainer import CustomTrainer, TrainerClient

NODES = 2


def train():
    import hashlib
    import os

    import xgboost
    from sklearn.datasets import make_classification
    from xgboost import collective
    from xgboost.tracker import RabitTracker

    # The runtime names the tracker, which runs on the first node, and this worker's number.
    rank, workers = int(os.environ["DMLC_TASK_ID"]), int(os.environ["DMLC_NUM_WORKER"])
    host, port = os.environ["DMLC_TRACKER_URI"], int(os.environ["DMLC_TRACKER_PORT"])
    tracker = RabitTracker(host_ip="0.0.0.0", n_workers=workers, port=port) if rank == 0 else None
    if tracker:
        tracker.start()

    with collective.CommunicatorContext(dmlc_tracker_uri=host, dmlc_tracker_port=port, dmlc_task_id=str(rank)):
        rank, workers = collective.get_rank(), collective.get_world_size()
        print(f"worker {rank} of {workers} connected to {host}:{port}")
        x, y = make_classification(n_samples=8000, n_features=20, n_informative=10, random_state=7)
        mine, held_out = slice(rank, 6000, workers), slice(6000, None)
        train_set = xgboost.QuantileDMatrix(x[mine], label=y[mine])
        test_set = xgboost.QuantileDMatrix(x[held_out], label=y[held_out], ref=train_set)
        model = xgboost.train(
            {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 6, "eta": 0.1, "nthread": 1},
            train_set,
            num_boost_round=50,
            evals=[(test_set, "test")],
            verbose_eval=10,
        )
        right = ((model.predict(test_set) > 0.5) == y[held_out]).mean()
        digest = hashlib.sha256(model.save_raw("json")).hexdigest()[:12]
        print(f"worker {rank}: {len(y[mine])} samples, accuracy {right:.4f}, model {digest}")

    if tracker:
        tracker.wait_for()


def main():
    client = TrainerClient()
    job_id = client.train(
        runtime=client.get_runtime("xgboost-distributed"),
        trainer=CustomTrainer(func=train, num_nodes=NODES, resources_per_node={"cpu": 3}),
    )
    client.wait_for_job_status(job_id)
    for node in range(NODES):
        print("\n".join(client.get_job_logs(name=job_id, step=f"node-{node}")))
    client.delete_job(job_id)


if __name__ == "__main__":
    sys.exit(main())
