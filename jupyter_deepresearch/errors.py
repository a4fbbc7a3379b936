"""Every error this package raises on purpose, as one tree.

::

    DeepResearchError
    ├── InvalidInput          a person's or program's input is wrong (HTTP 400)
    │   ├── InvalidConfig     deepresearch.toml, an option, the brief
    │   └── InvalidNotebook   the notebook, its cells, an edit of them
    ├── Forbidden             outside the project or the server's root (HTTP 403)
    ├── NotFound              no such project, experiment, run (HTTP 404)
    │   └── NoServer          no Jupyter server that could be asked
    ├── Conflict              right input at the wrong time (HTTP 409)
    │   ├── AlreadyDecided    somebody approved, rejected or cancelled it before
    │   ├── LeaseHeld         another process is researching this project
    │   └── Fenced            our lease has moved on: stop at once, write nothing
    ├── StorageFailed         the disk or the ledger cannot be read or written
    ├── ResearcherFailed      the researcher could not answer now; trying later may help
    ├── ResearcherStopped     the researcher will not answer as things are: the person has to do something
    └── BudgetReached         a budget does not allow what was about to be spent

A message is one readable line: what is wrong, where, what was found and what is accepted.
Foreign exceptions are turned into one of these where they enter the package.
"""


class DeepResearchError(Exception):
    """Root of the tree. ``reason`` is a stable word for programs, the message is for people.

    ``key`` is the one key of the configuration that is to blame ("budget.cycles"; "notebook" and "brief" too), None
    where none is.
    """

    reason = "error"

    def __init__(self, message: str = "", key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class InvalidInput(DeepResearchError):
    """Input that can never be accepted as it is."""

    reason = "invalid_input"


class InvalidConfig(InvalidInput):
    """A configuration key, option or brief that is not acceptable."""

    reason = "invalid_config"


class InvalidNotebook(InvalidInput):
    """A notebook that cannot be researched, or an edit that does not fit it."""

    reason = "invalid_notebook"


class Forbidden(DeepResearchError):
    """A path or action outside what the caller may touch."""

    reason = "forbidden"


class NotFound(DeepResearchError):
    """The thing named does not exist."""

    reason = "not_found"


class NoServer(NotFound):
    """There is no Jupyter server here, or none that can be asked: one works from the ledger then."""

    reason = "no_server"


class Conflict(DeepResearchError):
    """Acceptable input that does not fit the present state."""

    reason = "conflict"


class AlreadyDecided(Conflict):
    """The hypothesis or run was decided before."""

    reason = "already_decided"


class LeaseHeld(Conflict):
    """Another live process holds the project's lease."""

    reason = "busy"


class Fenced(Conflict):
    """An append under a lease that has moved to another owner."""

    reason = "fenced"


class StorageFailed(DeepResearchError):
    """The ledger or the project folder cannot be read or written."""

    reason = "storage_failed"


class ResearcherFailed(DeepResearchError):
    """The researcher has no answer now. Nothing was lost; the step may be tried again, not before ``retry_after_s``."""

    reason = "researcher_failed"

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ResearcherStopped(DeepResearchError):
    """The researcher will not answer before the person has done what the message says: a refused key, no such model."""

    reason = "researcher_stopped"


class BudgetReached(DeepResearchError):
    """Spending was refused before it happened. ``reason`` is the budget's key, ``until`` the wall time from which it
    allows spending again, None for one of the whole project."""

    def __init__(self, message: str, reason: str, until: float | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.until = until
