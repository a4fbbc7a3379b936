"""Metrics that libraries log become reports of the run.

A finder, first in ``sys.meta_path``, waits for the modules in which libraries log. The other finders find and load
them; then ``_deepresearch_libraries`` wraps what logs, in place. Until a library comes this costs next to nothing.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

WATCHED = {
    "wandb.sdk.wandb_run": "wandb",
    "wandb.sdk.lib.noop_run": "wandb",
    "torch.utils.tensorboard.writer": "tensorboard",
    "tensorboardX.writer": "tensorboard",
    "mlflow.tracking.client": "mlflow",
    "lightning.pytorch.trainer.connectors.logger_connector.logger_connector": "lightning",
    "pytorch_lightning.trainer.connectors.logger_connector.logger_connector": "lightning",
    "lightning.fabric.fabric": "lightning",
    "lightning_fabric.fabric": "lightning",
    "transformers.trainer": "transformers",
    "accelerate.accelerator": "accelerate",
    "keras.src.callbacks.callback_list": "keras",
    "keras.src.callbacks": "keras",
    "keras.callbacks": "keras",
    "tf_keras.src.callbacks": "keras",
    "fastai.learner": "fastai",
    "tqdm.notebook": "tqdm",
}
"""Modules in which libraries log, and what notes call the library."""

_noted = set()  # type: set[str]


class _Loader:
    """Loads a watched module as its own loader does, then hooks it."""

    def __init__(self, loader: "Any") -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._loader, name)

    def create_module(self, spec: "Any") -> "Any":
        return self._loader.create_module(spec)

    def exec_module(self, module: "ModuleType") -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader  # what inspect and pickle see is as without us
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        hook(module)


class _Finder:
    """Lets the others find a watched module, and has it hooked once it is loaded."""

    def __init__(self) -> None:
        self._sought = set()  # type: set[tuple[str, int]]

    def find_spec(self, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        if name not in WATCHED:
            return None
        import _thread

        key = (name, _thread.get_ident())
        if key in self._sought:  # a finder that asks all finders, us again
            return None
        self._sought.add(key)
        try:
            spec = self._found(name, path, target)
        finally:
            self._sought.discard(key)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = _Loader(spec.loader)
        return spec

    def _found(self, name: str, path: "Any", target: "Any") -> "Any":
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = None if find is None else find(name, path, target)
            if spec is not None:
                return spec
        return None


def install() -> None:
    """Wait for the libraries, and hook those that this process has imported already. Twice is as good as once."""
    if not any(type(finder).__name__ == "_Finder" and hasattr(finder, "_sought") for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        for name in WATCHED:
            module = sys.modules.get(name)
            if module is not None:
                hook(module)


def hook(module: "ModuleType") -> None:
    """Wrap what logs in a watched module. Whatever fails, the import goes on: it is noted in the run's record."""
    try:
        __import__("_deepresearch_libraries").wrap(module)
    except Exception as error:  # noqa: BLE001 (the person's program must not end because of us)
        note_unread(WATCHED[module.__name__], error)


def note_unread(library: str, error: "Exception | str") -> None:
    """Say in the run's record, once for each library, that what it logs is not seen."""
    if library in _noted:
        return
    _noted.add(library)
    reason = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    text = library + ": its metrics could not be read: " + " ".join(reason.split())[:300]
    try:
        __import__("jupyter_deepresearch").note(text)
    except Exception as problem:  # noqa: BLE001 (as above; what is left is to say it where the run's output is read)
        sys.stderr.write(f"deepresearch: {text} ({problem})\n")
