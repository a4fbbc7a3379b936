"""The REST routes as typed functions, for programs in a kernel. Standard library and msgspec only."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from .. import errors
from ..config.loading import Options, tables_of
from ..core.ports import Curves
from ..service.pictures import ParameterView, PointsView
from ..service.views import ChangesView, CostView, ExperimentView, MemoryTexts, StatusView
from .servers import OPENER, Server, find_server

TIMEOUT_S = 30.0
START_TIMEOUT_S = 120.0
_PAGE = 1000

T = TypeVar("T")


@dataclass(frozen=True)
class _Refusal:
    message: str = ""
    reason: str | None = None


@dataclass(frozen=True)
class _Written:
    seq: int


class Client:
    """One server, asked over HTTP.

    Every method raises the error that the server meant, with its message: InvalidInput, Forbidden, NotFound, Conflict,
    StorageFailed; and NoServer where the server cannot be asked.
    """

    def __init__(self, server: Server, is_stranger: bool = False) -> None:
        """``is_stranger``: asked from a kernel that no server has started."""
        self.server = server
        self._is_stranger = is_stranger
        self.remark = ""

    @classmethod
    def here(cls) -> "Client":
        """A client of the server that this kernel belongs to. Raises what ``find_server`` raises."""
        server = find_server()
        return cls(server, is_stranger=not server.is_own)

    def projects(self) -> tuple[StatusView, ...]:
        """The status of every known project."""
        return self._get("projects", tuple[StatusView, ...])

    def start(self, folder: Path, options: Options | None = None, brief: str | None = None) -> StatusView:
        """Make or take up the project in ``folder``, and research it."""
        options = options or Options()
        if self._is_stranger and options.kernel is None:
            self.remark = f"this kernel was not started by {self._name}: runs use the kernel that the notebook names"
        body = {"path": str(folder), **tables_of(options)}
        if brief is not None:
            body["brief"] = brief
        return self._post("projects", body, StatusView, START_TIMEOUT_S)

    def status(self, project_id: str) -> StatusView:
        """The status of one project."""
        return self._get(_place(project_id), StatusView)

    def history(self, project_id: str) -> tuple[ExperimentView, ...]:
        """Every experiment, oldest first."""
        rows: list[ExperimentView] = []
        while True:
            after = rows[-1].experiment if rows else -1
            query = urlencode({"after": after, "limit": _PAGE})
            page = self._get(f"{_place(project_id)}/experiments?{query}", tuple[ExperimentView, ...])
            rows += page
            if len(page) < _PAGE:
                return tuple(rows)

    def newest(self, project_id: str, limit: int, before: int | None = None) -> tuple[ExperimentView, ...]:
        """At most ``limit`` (1,000) experiments numbered below ``before``, newest first."""
        query = urlencode({"limit": limit, "order": "newest", **({} if before is None else {"before": before})})
        return self._get(f"{_place(project_id)}/experiments?{query}", tuple[ExperimentView, ...])

    def points(self, project_id: str, after: int = 0) -> PointsView:
        """The experiments that have changed after this seq, as columns."""
        return self._get(f"{_place(project_id)}/points?after={after}", PointsView)

    def parameters(self, project_id: str) -> tuple[ParameterView, ...]:
        """The lines of the parameters cell, with the values that `try` builds on."""
        return self._get(f"{_place(project_id)}/parameters", tuple[ParameterView, ...])

    def curve(self, project_id: str, number: int, metric: str, points: int, run: str | None = None) -> Curves:
        """What one run of an experiment (default: the one it is shown by) reported of one metric, in so many points."""
        query = urlencode({"points": points, "metric": metric, **({} if run is None else {"run": run})})
        return self._get(f"{_place(project_id)}/experiments/{number}/metrics?{query}", Curves)

    def experiment(self, project_id: str, number: int) -> ExperimentView:
        """One experiment."""
        return self._get(f"{_place(project_id)}/experiments/{number}", ExperimentView)

    def changes(self, project_id: str, number: int, to: int | None = None) -> ChangesView:
        """The changed lines from experiment ``number`` to ``to``, or from its parent to it."""
        query = "" if to is None else f"?to={to}"
        return self._get(f"{_place(project_id)}/experiments/{number}/diff{query}", ChangesView)

    def memory(self, project_id: str) -> MemoryTexts:
        """Both tiers of the memory as they would be sent."""
        return self._get(f"{_place(project_id)}/memory", MemoryTexts)

    def cost(self, project_id: str) -> CostView:
        """What calls to language models have cost."""
        return self._get(f"{_place(project_id)}/cost", CostView)

    def command(self, project_id: str, kind: str, command_id: str | None = None, **body: Any) -> int:
        """Write a command such as ``command(id, "approve", hypothesis=3)``; the seq of its event."""
        whole = {"kind": kind, **body, **({} if command_id is None else {"command_id": command_id})}
        return self._post(f"{_place(project_id)}/commands", whole, _Written, TIMEOUT_S).seq

    # HTTP

    @property
    def _name(self) -> str:
        return f"the Jupyter server at {self.server.url}"

    def _get(self, route: str, kind: type[T]) -> T:
        return self._ask(urllib.request.Request(self._url(route)), kind, TIMEOUT_S)

    def _post(self, route: str, body: Mapping[str, object], kind: type[T], timeout_s: float) -> T:
        content = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url(route), msgspec.json.encode(body), content, method="POST")
        return self._ask(request, kind, timeout_s)

    def _url(self, route: str) -> str:
        return f"{self.server.url}deepresearch/api/{route}"

    def _ask(self, request: urllib.request.Request, kind: type[T], timeout_s: float) -> T:
        if self.server.token:
            request.add_header("Authorization", f"token {self.server.token}")
        try:
            with OPENER.open(request, timeout=timeout_s) as response:
                return msgspec.json.decode(response.read(), type=kind)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error.code, error.read()) from None
        except TimeoutError:
            raise errors.StorageFailed(f"{self._name} did not answer in {timeout_s:g} s") from None
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", error)
            if isinstance(why, ssl.SSLCertVerificationError):
                why = f"its certificate is not trusted here ({why.verify_message}); set SSL_CERT_FILE to it"
            raise errors.NoServer(f"{self._name} cannot be reached: {why}") from None
        except msgspec.MsgspecError as error:
            raise errors.StorageFailed(f"{self._name} has another version of this package ({error})") from None

    def _refused(self, code: int, body: bytes) -> errors.DeepResearchError:
        """The error that the server meant."""
        try:
            refusal = msgspec.json.decode(body, type=_Refusal)
        except msgspec.MsgspecError:
            refusal = _Refusal()
        if refusal.reason is None and code in (401, 403):
            if not self.server.token:  # so no kernel can ask it
                why = "has no token (does it log in by password only? started with JUPYTER_TOKEN it takes both)"
                return errors.NoServer(f"{self._name} {why}")
            return errors.Forbidden(f"{self._name} refuses our token: {refusal.message or code}")
        if refusal.reason is None and code == 404:
            return errors.NoServer(f"{self._name} does not have the extension jupyter_deepresearch enabled")
        kind = _KINDS.get(code, errors.StorageFailed)
        return kind(refusal.message if refusal.reason else f"{self._name} answered with error {code}")


_KINDS: Mapping[int, type[errors.DeepResearchError]] = {
    400: errors.InvalidInput,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
}


def _place(project_id: str) -> str:
    return f"projects/{quote(project_id, safe='')}"
