"""file:///PATH: a file or directory that the pod sees, by a volume or by `trainshed up --mount`.

Ours alone: upstream's initializers know no such URI.
"""
import logging
import os
import pathlib
import urllib.parse

from workspace import Failure, Interrupted, matches


def copy(uri, workspace, ignored):
    address = urllib.parse.urlparse(uri)
    source = pathlib.Path(urllib.parse.unquote(address.path))
    if address.netloc not in ("", "localhost") or not source.is_absolute():
        raise Failure("it names no absolute path", "write file:///PATH, with three slashes")
    if not os.access(source, os.R_OK):
        reason = "may not read" if os.path.exists(source) else "does not see"
        raise Failure(f"this pod {reason} {source}",
                      f"show it to pods by: trainshed up --mount {source}")
    # All names first: the workspace may be below the source.
    names = [source.name] if source.is_file() else sorted(
        os.path.relpath(os.path.join(folder, name), source)
        for folder, _, names in os.walk(source) for name in names
        if os.path.isfile(os.path.join(folder, name)))
    wanted = [name for name in names if not matches(name, ignored)]
    for name in wanted:
        path = source if source.is_file() else source / name
        logging.info("Copying %s to %s/%s", path, workspace.directory, name)
        try:
            with open(path, "rb") as stream:
                workspace.put(name, stream)
        except (OSError, Interrupted) as error:
            raise Failure(f"cannot read {path}: {error}",
                          "pods are other users: chmod o+r") from error
    return len(wanted)
