"""The data set and model initializers of Kubeflow Trainer, with the standard library alone.

`initialize.py dataset` and `initialize.py model` read the variables that upstream's programs read
and fill the same directory of the workspace. What cannot be done is one line at the end, in the
log and in the container's termination message:  initializer: URI: cause; next step
"""
import logging
import os
import sys
import time
import urllib.parse

import hub
import local
import s3
from web import Web
from workspace import Failure, Workspace

WORKSPACE = "/workspace"
TERMINATION_LOG = "/dev/termination-log"
SCHEMES = {"dataset": ("hf", "s3", "cache", "file"), "model": ("hf", "s3", "file")}


def patterns_of(text):
    return [item.strip() for item in text.split(",") if item.strip()]


def initialize(kind, environ, workspace, web):
    """Fills the workspace from STORAGE_URI; raises Failure. Returns how many files there were."""
    uri = environ.get("STORAGE_URI", "")
    if not uri:
        raise Failure("STORAGE_URI is not set",
                      f"give the TrainJob a spec.initializer.{kind}.storageUri")
    ignored = patterns_of(environ.get("IGNORE_PATTERNS", ""))
    scheme = urllib.parse.urlparse(uri).scheme
    if scheme not in SCHEMES[kind]:
        known = ", ".join(f"{name}://" for name in SCHEMES[kind])
        raise Failure(f'no {kind} initializer knows the scheme "{scheme}"', f"use one of {known}")
    workspace.make()
    if scheme == "hf":
        return hub.download(uri, kind, environ, web, workspace, ignored)
    if scheme == "s3":
        return s3.download(uri, environ, web, workspace, ignored)
    if scheme == "file":
        return local.copy(uri, workspace, ignored)
    raise Failure("Trainer's data cache needs LeaderWorkerSet, which is not here",
                  "use hf://, s3:// or file:// in its place")


def report(line):
    print(line, file=sys.stderr, flush=True)
    try:
        with open(TERMINATION_LOG, "r+", encoding="utf-8") as log:
            log.write(line)
    except OSError:
        pass  # a pod need not have one


def main(kind, environ, root=WORKSPACE, web=None):
    """The exit code."""
    workspace = Workspace(os.path.join(root, kind))
    try:
        count = initialize(kind, environ, workspace, web or Web())
    except Failure as failure:
        line = f"initializer: {environ.get('STORAGE_URI') or kind}: {failure}"
        report(" ".join(line.split()))
        return 1
    if count == 0:
        # Upstream is content with that, too.
        logging.warning("No file of %s was asked for: %s is empty", environ["STORAGE_URI"],
                        workspace.directory)
    else:
        logging.info("%d file%s in %s", count, "" if count == 1 else "s", workspace.directory)
    return 0


if __name__ == "__main__":
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        format="%(asctime)s %(levelname)-8s [%(filename)s:%(lineno)d] %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%SZ", level=logging.INFO)
    sys.exit(main(sys.argv[1], os.environ))
