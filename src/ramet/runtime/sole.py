"""One process runs a deployment: whoever has the lock in its data folder, from before its start to after its end."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from ramet.errors import ConfigurationError
from ramet.model.topology import Deployment
from ramet.storage.lock import FileLock


class Sole:
    """The right to run a deployment, from entering the block to leaving it; the process that ends gives it back."""

    def __init__(self, data: Path, deployment: Deployment) -> None:
        self._data = data
        self._deployment = deployment
        self._lock = FileLock(data / "running.lock")

    def acquire(self) -> None:
        """Raises: ConfigurationError when a process runs this deployment already, or the folder cannot be used."""
        try:
            self._data.mkdir(parents=True, exist_ok=True)
            holder = self._lock.acquire()
        except OSError as error:
            raise unusable(self._data, error) from error
        if holder:
            raise ConfigurationError(
                f'The deployment "{self._deployment.name}" runs already, as process {holder}: '
                "stop that first, or look at it with `ramet status`."
            )

    def release(self) -> None:
        """Let the next one have it; harmless when it is not held."""
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def unusable(data: Path, error: OSError) -> ConfigurationError:
    """What is said of a data folder in which nothing can be written."""
    return ConfigurationError(f"The folder {data} cannot be used: {error.strerror}. Choose another data folder.")
