"""The end of what libraries log. A run's kernel is killed after its last cell, where by hand it would live on."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def finish(failed: bool) -> None:
    """Finish the open runs of wandb and mlflow, as both do at a program's end; write what TensorBoard holds back.

    Raises the first error, after all have been tried.
    """
    errors = []
    for end in (_tensorboard, _wandb, _mlflow):
        try:
            end(failed)
        except Exception as error:  # noqa: BLE001 (one library's trouble must not cost the others their end)
            errors.append(error)
    if errors:
        raise errors[0]


def _loaded(name: str) -> "Any":
    return sys.modules.get(name)


def _tensorboard(failed: bool) -> None:
    libraries = _loaded("_deepresearch_libraries")
    for writer in list(libraries.writers) if libraries is not None else ():
        writer.flush()


def _wandb(failed: bool) -> None:
    wandb = _loaded("wandb")
    if getattr(wandb, "run", None) is not None:
        wandb.finish(exit_code=int(failed))
    if hasattr(wandb, "teardown"):
        wandb.teardown()  # its service, which would be a process left running


def _mlflow(failed: bool) -> None:
    mlflow = _loaded("mlflow")
    if hasattr(mlflow, "active_run") and mlflow.active_run() is not None:
        mlflow.end_run("FAILED" if failed else "FINISHED")
