"""EBRAINS' queue of neuromorphic jobs, through its public client (``nmpi`` of hbp_neuromorphic_platform 0.11.2).

Submitting and asking are the client's own calls. What it cannot be used for as it is, is done here, by plain HTTP:

- its constructor writes the token to ``~/.hbptoken``, and asks for a password where a token has expired;
- its requests have no time-out, so that a lost connection hangs for ever, and its errors are plain ``Exception``;
- ``submit_job(wait=True)`` asks every two seconds without end; ``inputs=`` calls a method that is not there; a folder
  as source is uploaded to a drive, ``*.py`` alone. So a job is one script, and `pynn_io.runners.nmpi.queue` waits;
- ``download_data`` has no time-out either, and writes wherever the paths of the answer say, ``../`` included.

The token comes from the environment, is sent to the job service alone, and is written nowhere.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pynn_io.errors import BackendUnavailable, FormatError, JobRejected, ServiceLost

if TYPE_CHECKING:
    import requests

TOKEN, SERVICE = "EBRAINS_TOKEN", "EBRAINS_JOB_SERVICE"
#: Seconds for a connection, and between two pieces of an answer.
TIMEOUT = (10.0, 60.0)
_BLOCK = 2**20


def token_of(environment: Mapping[str, str] = os.environ) -> str:
    """The access token. Raises FormatError where the environment has none."""
    token = environment.get(TOKEN, "").strip()
    if not token:
        hint = f"put an access token into the environment variable {TOKEN}; it is written nowhere"
        raise FormatError("submitting a job needs a token of EBRAINS", hint=hint)
    return token


class QueueClient:
    """One user's view of a job service. service: its URL; empty for the environment's, else for the client's own.

    Raises BackendUnavailable without the client's package, FormatError for a URL that is none.
    """

    def __init__(self, token: str, service: str = "", timeout: tuple[float, float] = TIMEOUT) -> None:
        try:
            import nmpi
        except ModuleNotFoundError as error:
            hint = "pip install 'pynn_io[ebrains]'"
            raise BackendUnavailable(f"the job queue needs the package {error.name!r}", hint=hint) from error
        default = inspect.signature(nmpi.Client.__init__).parameters["job_service"].default
        self.service = service or os.environ.get(SERVICE, "") or str(default)
        parts = urlsplit(self.service)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise FormatError(f"{self.service!r} is no URL of a job service", hint=f"see the variable {SERVICE}")
        if parts.username or parts.password:
            raise FormatError("the URL of the job service has a name or password in it", hint=f"use {TOKEN}")
        self._timeout, self._token = timeout, token
        self._client = _transported(nmpi.Client, self)

    # --- what the client does -----------------------------------------------------------------------------------------

    def submit(self, script: Path, platform: str, collab: str, command: str, config: Mapping[str, Any] | None) -> str:
        """The address of the new job. Raises JobRejected, ServiceLost; a request that broke off is not sent again."""
        # It tells what it does on standard output, which belongs to the results of a command.
        with contextlib.redirect_stdout(io.StringIO()):
            answer = self._client.submit_job(
                str(script), platform, collab, config=None if config is None else dict(config), command=command
            )
        if not isinstance(answer, str) or not answer:
            raise ServiceLost(f"the answer names no job: {answer!r}", where=self.service)
        return answer

    def job(self, address: str, *, log: bool = False) -> dict[str, Any]:
        """What the service says of a job. Raises JobRejected for an unknown one, ServiceLost."""
        found = self._client.get_job(address, with_log=log)
        if not isinstance(found, dict) or not isinstance(found.get("status"), str):
            raise ServiceLost("the answer states no status of the job", where=f"{self.service}:{address}")
        return {**found, "log": self._told(str(found["log"]))} if found.get("log") else found

    # --- plain HTTP ---------------------------------------------------------------------------------------------------

    def download(self, url: str, path: Path) -> None:
        """One file of a job. The token goes along to the job service alone. Raises ServiceLost, JobRejected."""
        if urlsplit(url).scheme not in ("http", "https"):
            raise ServiceLost(f"{url!r} is no address of a file", where=self.service)
        with self._talking(url), self._request("get", url, stream=True) as answer, path.open("wb") as file:
            for block in answer.iter_content(_BLOCK):
                file.write(block)

    def get(self, url: str) -> Any:
        with self._talking(url), self._request("get", url) as answer:
            return answer.json()

    def post(self, url: str, data: Any) -> Any:
        with self._talking(url), self._request("post", url, json=data) as answer:
            return answer.json()

    def _request(self, method: str, url: str, **more: Any) -> requests.Response:
        import requests

        answer = requests.request(method, url, auth=self._authorize(url), timeout=self._timeout, **more)
        if answer.status_code >= 500:
            raise ServiceLost(f"the service fails: {answer.status_code} {self._told(str(answer.reason))}", where=url)
        if not answer.ok:
            hint = f"is the token in {TOKEN} valid?" if answer.status_code in (401, 403) else ""
            raise JobRejected(f"refused: {answer.status_code} {self._told(_detail(answer))}", where=url, hint=hint)
        return answer

    def _told(self, text: str) -> str:
        """What a service says, without the token, which some send back."""
        return text.replace(self._token, "[token]")

    def _authorize(self, url: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
        """Adds the token, where it is for the job service. requests takes it off where it is led to another host; that
        something is given for every host keeps it from reading ``~/.netrc``."""
        ours = urlsplit(url)[:2] == urlsplit(self.service)[:2]

        def add(request: requests.PreparedRequest) -> requests.PreparedRequest:
            if ours:
                request.headers["Authorization"] = f"Bearer {self._token}"
            return request

        return add

    @contextlib.contextmanager
    def _talking(self, url: str) -> Iterator[None]:
        """What goes wrong on the way as ServiceLost."""
        import requests

        try:
            yield
        except (requests.RequestException, ValueError) as error:
            said = type(error).__name__ if not str(error) else str(error)
            raise ServiceLost(f"no answer that can be used: {self._told(said)}", where=url) from error


def _detail(answer: requests.Response) -> str:
    """What a service says of its refusal."""
    try:
        said = answer.json()
    except ValueError:
        return answer.reason or ""
    detail = said.get("detail", said.get("error", said)) if isinstance(said, dict) else said
    return f"{answer.reason}: {detail}"


def _transported(kind: type, client: QueueClient) -> Any:
    """The public client with another transport, and without what its constructor does."""

    class Transported(kind):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            parts = urlsplit(client.service)
            self.job_server = f"{parts.scheme}://{parts.netloc}"

        def _query(self, resource_uri: str, verbose: bool = True, ignore404: bool = False) -> Any:
            return client.get(resource_uri)

        def _post(self, resource_uri: str, data: Any) -> Any:
            return client.post(resource_uri, data)

    return Transported()
