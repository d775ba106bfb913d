"""Where an initializer puts what it downloads, and how it says that it could not."""
import fnmatch
import http.client
import os
import pathlib

CHUNK_BYTES = 1 << 20


class Failure(Exception):
    """Why there is nothing to train on, and what to do about it."""

    def __init__(self, cause, step):
        super().__init__(f"{cause}; {step}")
        self.cause = cause


class Interrupted(Exception):
    """A download that broke off, or that the server put off: it may be tried again."""


def matches(name, patterns):
    """Against the whole name; `*` is any text, slashes too."""
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


class Workspace:
    """A directory for files from elsewhere. A file is whole or not there."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def make(self):
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._closed(self.directory, error) from error

    def put(self, name, source, size=None):
        """Writes the stream `source`, of `size` bytes if that is known, below the directory."""
        target = self._place(name)
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "wb") as out:
                written = self._copy(source, out)
            if size is not None and written != size:
                raise Interrupted(f"{name} ended after {written} of {size} bytes")
            os.replace(part, target)
        except OSError as error:
            raise self._closed(target, error) from error
        finally:
            part.unlink(missing_ok=True)

    @staticmethod
    def _closed(path, error):
        return Failure(f"cannot write {path}: {error.strerror}",
                       "look at the volume that the runtime mounts there")

    @staticmethod
    def _copy(source, out):
        written = 0
        while True:
            try:
                chunk = source.read(CHUNK_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise Interrupted(str(error)) from error
            if not chunk:
                return written
            written += out.write(chunk)

    def _place(self, name):
        """The path of `name`, which a server chose, so it may try to leave the directory."""
        parts = pathlib.PurePosixPath(name.lstrip("/")).parts
        if not parts or ".." in parts:
            raise Failure(f'"{name}" is no name for a file in {self.directory}',
                          "rename it, or leave it out by IGNORE_PATTERNS")
        return self.directory.joinpath(*parts)
