"""EBRAINS' job queue, small: the endpoints that a client uses, on 127.0.0.1, and a worker that runs the scripts.

Endpoints and fields: the public sources of the queue (``simqueue.data_models``): POST /jobs/, GET /jobs/N, and the
files of a job. ``Faults`` says what goes wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOKEN = "a-token-of-the-tests"
#: Seconds for a job on a busy machine.
PATIENCE = 400


@dataclass
class Faults:
    """refuse: status of the answer to a new job. drop: numbers of the requests that are dropped without an answer.
    status: of the job, whatever the worker does. junk: an answer that is no JSON. files: content instead of the
    worker's, None for a file that is missing. echo: a refusal says what token came."""

    refuse: int = 0
    drop: frozenset[int] = frozenset()
    status: str = ""
    junk: bool = False
    echo: bool = False
    files: dict[str, bytes | None] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


@dataclass
class Queue:
    """What the server holds. runs: what stands for ``{system}``; empty: no job is ever run."""

    system: str
    faults: Faults
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""

    def accept(self, job: dict[str, Any]) -> dict[str, Any]:
        number = len(self.jobs) + 1
        job |= {"id": number, "resource_uri": f"/jobs/{number}", "status": "submitted", "user_id": "somebody"}
        self.jobs.append(job)
        if self.system:
            threading.Thread(target=self._work, args=(job,), daemon=True).start()
        return job

    def _work(self, job: dict[str, Any]) -> None:
        folder = self.folder / str(job["id"])
        folder.mkdir()
        name, *arguments = job["command"].format(system=self.system).split()
        (folder / name).write_text(job["code"], encoding="utf-8")
        job["status"] = "running"
        # Only PyNN and the backend: nothing of the project can be imported there.
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "EBRAINS_TOKEN")}
        programs = str(Path(sys.executable).parent)
        environment["PATH"] = os.pathsep.join([programs, environment.get("PATH", "")])
        done = subprocess.run(
            [sys.executable, "-I", name, *arguments],
            cwd=folder,
            env={**environment, **self.environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        job["log"] = done.stdout + done.stderr
        files = [path for path in sorted(folder.iterdir()) if path.suffix in (".npz", ".json")]
        job["output_data"] = {"repository": "here", "files": [self.item(path) for path in files]}
        job["status"] = "finished" if done.returncode == 0 else "error"

    def item(self, path: Path) -> dict[str, Any]:
        inside = path.relative_to(self.folder)
        size = self.faults.sizes.get(path.name, len(self.content(path) or b""))
        # Paths are what a careless client would write to.
        return {"url": f"{self.url}/data/{inside}", "path": f"../../{path.name}", "size": size}

    def content(self, path: Path) -> bytes | None:
        if path.name in self.faults.files:
            return self.faults.files[path.name]
        return path.read_bytes()


class _Handler(BaseHTTPRequestHandler):
    queue: Queue

    def log_message(self, *_: Any) -> None:
        return None

    def do_POST(self) -> None:
        if not self._admitted():
            return
        length = int(self.headers["Content-Length"])
        job = json.loads(self.rfile.read(length))
        faults = self.queue.faults
        if faults.refuse:
            said = "no quota for this platform" + (f" for {self.headers['Authorization']}" if faults.echo else "")
            self._json(faults.refuse, {"detail": said})
        else:
            self._json(201, self.queue.accept(job))

    def do_GET(self) -> None:
        if not self._admitted():
            return
        path = self.path.partition("?")[0]
        if path.startswith("/data/"):
            self._file(path.removeprefix("/data/"))
            return
        number = int(path.rsplit("/", 1)[-1])
        if not 0 < number <= len(self.queue.jobs):
            self._json(404, {"detail": "no such job"})
            return
        job = dict(self.queue.jobs[number - 1])
        if self.queue.faults.junk:
            self._answer(200, b"<html>", "text/html")
            return
        if self.queue.faults.status:
            job["status"] = self.queue.faults.status
        if "with_log=true" not in self.path:
            job.pop("log", None)
        self._json(200, job)

    def _admitted(self) -> bool:
        queue = self.queue
        queue.requests.append((self.command, self.path, self.headers.get("Authorization", "")))
        if len(queue.requests) in queue.faults.drop:
            self.close_connection = True
            self.connection.close()
            return False
        if queue.requests[-1][2] != f"Bearer {TOKEN}":
            self._json(403, {"detail": "invalid token"})
            return False
        return True

    def _file(self, inside: str) -> None:
        content = self.queue.content(self.queue.folder / inside)
        if content is None:
            self._json(404, {"detail": "no such file"})
        else:
            self._answer(200, content, "application/octet-stream")

    def _json(self, status: int, content: Any) -> None:
        self._answer(status, json.dumps(content).encode(), "application/json")

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(system: str = "", faults: Faults | None = None, **environment: str) -> Iterator[Queue]:
    """A queue whose worker runs jobs on ``system``."""
    with tempfile.TemporaryDirectory(prefix="queue-") as folder:
        queue = Queue(system, faults or Faults(), Path(folder), environment)
        handler = type("Handler", (_Handler,), {"queue": queue})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        queue.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield queue
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
