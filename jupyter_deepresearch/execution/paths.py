"""Where everything of a project lies: names fixed by the contract, said once."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunPaths:
    """One run's folder. The launcher writes ``spec``, ``tree`` and ``input``, the runner all else but ``work``."""

    root: Path

    @property
    def spec(self) -> Path:
        return self.root / "spec.json"

    @property
    def tree(self) -> Path:
        """What the run's tree was made of, written by the launcher."""
        return self.root / "tree.json"

    @property
    def owner(self) -> Path:
        return self.root / "owner.json"

    @property
    def live(self) -> Path:
        return self.root / "live.json"

    @property
    def input(self) -> Path:
        return self.root / "input.ipynb"

    @property
    def output(self) -> Path:
        return self.root / "output.ipynb"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs.jsonl"

    @property
    def latest(self) -> Path:
        """What was output last, once ``outputs`` is full."""
        return self.root / "latest.jsonl"

    @property
    def before(self) -> Path:
        """What ``latest`` held until it was full itself."""
        return self.root / "latest-before.jsonl"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.jsonl"

    @property
    def resources(self) -> Path:
        return self.root / "resources.jsonl"

    @property
    def processes(self) -> Path:
        """Which processes were the run's when its runner last looked."""
        return self.root / "processes.json"

    @property
    def log(self) -> Path:
        return self.root / "runner.log"

    @property
    def cancel(self) -> Path:
        """Its presence asks the runner to end the run as cancelled; the one file others may make here."""
        return self.root / "cancel"

    @property
    def exit(self) -> Path:
        return self.root / "exit.json"

    @property
    def inject(self) -> Path:
        """The folder put on the kernel's PYTHONPATH."""
        return self.root / "inject"

    @property
    def sockets(self) -> Path:
        """A link to the short folder outside in which a live kernel's sockets lie."""
        return self.root / "sockets"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def private(self) -> Path:
        """What the kernel writes for us, inside its own tree: the reports file."""
        return self.work / ".deepresearch-run"

    @property
    def reports(self) -> Path:
        return self.private / "reports.jsonl"

    @property
    def artifacts(self) -> Path:
        return self.private / "artifacts"


@dataclass(frozen=True)
class ProjectPaths:
    """A project's folder."""

    root: Path

    @property
    def brief(self) -> Path:
        return self.root / "PROJECT_BRIEF.md"

    @property
    def config(self) -> Path:
        return self.root / "deepresearch.toml"

    @property
    def directive(self) -> Path:
        return self.root / "HUMAN_DIRECTIVE.md"

    @property
    def directives(self) -> Path:
        return self.root / "directives"

    @property
    def experiments(self) -> Path:
        return self.root / "experiments"

    @property
    def hidden(self) -> Path:
        return self.root / ".deepresearch"

    @property
    def ledger(self) -> Path:
        return self.hidden / "ledger.db"

    @property
    def runs(self) -> Path:
        return self.hidden / "runs"

    def run(self, run_id: str) -> RunPaths:
        return RunPaths(self.runs / run_id)
