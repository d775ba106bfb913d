import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from shed import Cluster, find_kubectl  # noqa: E402


def pytest_collection_modifyitems(items):
    if find_kubectl():
        return
    skip = pytest.mark.skip(reason="NO KUBECTL FOUND: set KUBECTL to the path of a kubectl of 1.27 or later")
    for item in items:
        if "kubectl" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def cluster():
    """One cluster for every test that leaves it as it found it."""
    shed = Cluster("--nodes", "2").up()
    yield shed
    shed.down()
    assert shed.leftovers() == []


@pytest.fixture
def fresh_cluster():
    """Clusters with flags of the test's own; taken down afterwards."""
    made = []

    def make(*flags):
        made.append(Cluster(*flags).up())
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
