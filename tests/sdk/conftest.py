import contextlib
import importlib.util
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from pods import Pods  # noqa: E402
from shed import ROOT, Cluster, environments, find_kubectl  # noqa: E402


def pytest_collection_modifyitems(items):
    built = {name for name, row in environments().items() if row["built"]}
    for item in items:
        if "kubectl" in item.keywords and not find_kubectl():
            item.add_marker(pytest.mark.skip(
                reason="NO KUBECTL FOUND: set KUBECTL to the path of a kubectl of 1.27 or later"))
        for mark in item.iter_markers("environment"):
            for name in set(mark.args) - built:
                item.add_marker(pytest.mark.skip(reason=f"ENVIRONMENT NOT BUILT: trainshed image build {name}"))


def scenario(path):
    """A program of scenarios/, as a module whose functions can be run as TrainJobs."""
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, ROOT / "scenarios" / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def s3_server():
    """moto's S3 server on this machine's loopback: its port."""
    # Read when moto is imported: else it takes host.trainshed.internal's first label for a bucket.
    os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"] = "true"
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()
    del os.environ["S3_IGNORE_SUBDOMAIN_BUCKETNAME"]


@pytest.fixture(scope="session")
def cluster():
    """One cluster for every test that leaves it as it found it."""
    shed = Cluster("--nodes", "2").up()
    yield shed
    shed.down()
    assert shed.leftovers() == []


@pytest.fixture
def pods(cluster):
    """Plain pods of one test, taken away afterwards."""
    made = Pods(cluster)
    yield made
    cluster.kubectl("delete", "pod", "--grace-period=0", "--force", "--ignore-not-found", *(made.names or ["none"]))


@pytest.fixture
def fresh_cluster():
    """Clusters with flags of the test's own; taken down afterwards."""
    made = []

    def make(*flags, env=None):
        made.append(Cluster(*flags, env=env).up())
        return made[-1]

    yield make
    for shed in made:
        shed.down()
        assert shed.leftovers() == []


@pytest.fixture
def client(cluster):
    """A TrainerClient as a user has it: nothing but KUBECONFIG points at the cluster."""
    return client_for(cluster)


def client_for(cluster):
    os.environ["KUBECONFIG"] = str(cluster.kubeconfig)
    from kubernetes import config  # noqa: PLC0415
    from kubernetes.config import kube_config  # noqa: PLC0415

    # The client library reads KUBECONFIG when it is imported; later clusters have to be named again.
    config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION = str(cluster.kubeconfig)
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = str(cluster.kubeconfig)
    from kubeflow.common.types import KubernetesBackendConfig  # noqa: PLC0415
    from kubeflow.trainer import TrainerClient  # noqa: PLC0415

    return TrainerClient(KubernetesBackendConfig(config_file=str(cluster.kubeconfig)))
