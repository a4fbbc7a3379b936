"""The seam between what a person says in a notebook and who answers."""

from pathlib import Path
from typing import Any, Protocol

from ..config.loading import Options
from ..core.ports import Curves
from ..service.pictures import ParameterView, PointsView
from ..service.views import ChangesView, CostView, ExperimentView, MemoryTexts, StatusView


class Answering(Protocol):
    """Who answers: a server through ``Client``, or the folders themselves through ``LedgerClient``.

    ``remark`` is what a person should know besides the answer.
    """

    remark: str

    def projects(self) -> tuple[StatusView, ...]: ...

    def start(self, folder: Path, options: Options | None = None, brief: str | None = None) -> StatusView: ...

    def status(self, project_id: str) -> StatusView: ...

    def history(self, project_id: str) -> tuple[ExperimentView, ...]: ...

    def newest(self, project_id: str, limit: int, before: int | None = None) -> tuple[ExperimentView, ...]: ...

    def points(self, project_id: str, after: int = 0) -> PointsView: ...

    def parameters(self, project_id: str) -> tuple[ParameterView, ...]: ...

    def curve(self, project_id: str, number: int, metric: str, points: int, run: str | None = None) -> Curves: ...

    def experiment(self, project_id: str, number: int) -> ExperimentView: ...

    def changes(self, project_id: str, number: int, to: int | None = None) -> ChangesView: ...

    def memory(self, project_id: str) -> MemoryTexts: ...

    def cost(self, project_id: str) -> CostView: ...

    def command(self, project_id: str, kind: str, command_id: str | None = None, **body: Any) -> int: ...
