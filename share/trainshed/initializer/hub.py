"""hf://ORGANISATION/NAME: the files of a model or data set of the Hugging Face hub, at `main`.

What the shared cache holds of that commit is copied from there. Where the hub is out of reach, the
cache's own `main` stands for it.
"""
import json
import logging
import os
import pathlib
import re
import urllib.parse

from web import Refused, Unreachable
from workspace import Failure, matches

# Trainer v2.3.0 takes these files of a model and no others.
MODEL_FILES = ("*.json", "*.safetensors", "*.model", "*.txt")
REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)?")


def repository_of(uri, kind):
    """A data set's URI may go on after its name, a model's may not: as upstream reads them."""
    address = urllib.parse.urlparse(uri)
    parts = [address.netloc, *address.path.split("/")[1:]]
    name = "/".join(parts[:2] if kind == "dataset" else parts)
    if not REPOSITORY.fullmatch(name) or (kind == "dataset" and "/" not in name):
        raise Failure(f'"{name}" is no repository of the hub', "write hf://ORGANISATION/NAME")
    return name


class Cache:
    """What huggingface_hub keeps: refs/main names a commit, snapshots/COMMIT has its files."""

    def __init__(self, repository, kind, environ):
        home = environ.get("HF_HOME") or os.path.expanduser("~/.cache/huggingface")
        base = environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")
        self.directory = pathlib.Path(base, f"{kind}s--{repository.replace('/', '--')}")

    def commit(self):
        try:
            commit = (self.directory / "refs/main").read_text().strip()
        except OSError:
            return ""
        return commit if self.snapshot(commit).is_dir() else ""

    def snapshot(self, commit):
        return self.directory / "snapshots" / commit

    def names(self, commit):
        top = self.snapshot(commit)
        return sorted(str(p.relative_to(top)) for p in top.rglob("*") if p.is_file())


class Hub:
    def __init__(self, repository, kind, environ, web):
        self.repository, self.kind, self.web = repository, kind, web
        self.endpoint = (environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
        self.offline = environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
        self.cache = Cache(repository, kind, environ)
        token = environ.get("ACCESS_TOKEN") or environ.get("HF_TOKEN")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path, consume):
        try:
            return self.web.get(f"{self.endpoint}/{path}", self.headers, consume)
        except Refused as refused:
            raise self.explained(refused) from refused

    def explained(self, refused):
        what = f'{self.endpoint} does not give the {self.kind} "{self.repository}" ({refused})'
        if refused.status in (401, 403, 404):
            step = "its terms may have to be accepted for this ACCESS_TOKEN"
            if not self.headers:
                step = "correct the name, or set ACCESS_TOKEN if it is private or gated"
            return Failure(what, step)
        return Failure(what, "look at HF_ENDPOINT and the storage URI")

    def listing(self):
        """The commit that `main` is and the names of its files."""
        def parsed(response):
            try:
                found = json.load(response)
                return found["sha"], [item["rfilename"] for item in found["siblings"]]
            except (ValueError, KeyError, TypeError) as error:
                raise Failure(f"{self.endpoint} does not answer as the hub does",
                              "look at HF_ENDPOINT") from error
        return self.get(f"api/{self.kind}s/{self.repository}/revision/main", parsed)

    def cached_listing(self, cause):
        commit = self.cache.commit()
        if not commit:
            kind = " --repo-type dataset" if self.kind == "dataset" else ""
            raise Failure(f"{cause}, and the shared Hugging Face cache does not have it",
                          f"on this machine: hf download{kind} {self.repository}")
        logging.warning("%s: taking commit %s from the shared cache, as far as it is there",
                        cause, commit)
        return commit, self.cache.names(commit)

    def put(self, commit, name, workspace):
        cached = self.cache.snapshot(commit) / name
        if os.path.isfile(cached):
            if not os.access(cached, os.R_OK):
                raise Failure(f"{name} in the shared Hugging Face cache is closed to pods",
                              "chmod -R o+rX it: pods are other users")
            logging.info("From the shared cache: %s", name)
            with open(cached, "rb") as source:
                workspace.put(name, source, cached.stat().st_size)
            return
        logging.info("Downloading %s to %s/%s", name, workspace.directory, name)
        prefix = "datasets/" if self.kind == "dataset" else ""
        path = f"{prefix}{self.repository}/resolve/{commit}/{urllib.parse.quote(name)}"
        self.get(path, lambda response: workspace.put(name, response, response.length))


def download(uri, kind, environ, web, workspace, ignored):
    hub = Hub(repository_of(uri, kind), kind, environ, web)
    logging.info("The %s %s of %s", kind, hub.repository, hub.endpoint)
    if hub.offline:
        commit, names = hub.cached_listing("HF_HUB_OFFLINE is set")
    else:
        try:
            commit, names = hub.listing()
        except Unreachable as error:
            commit, names = hub.cached_listing(error.cause)
    # To the hub's client a directory stands for all below it.
    ignored = [p + "*" if p.endswith("/") else p for p in ignored]
    wanted = [name for name in names if not matches(name, ignored)
              and (kind == "dataset" or matches(name, MODEL_FILES))]
    for name in wanted:
        hub.put(commit, name, workspace)
    return len(wanted)
