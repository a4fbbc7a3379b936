"""What of which library logs metrics, and how its arguments are read. Imported when one of the libraries is.

Each wrapped method calls the library first: its result and its errors are the person's, untouched. Then a reader, with
the same arguments, hands names, values and a step to ``jupyter_deepresearch.logged``.
"""

import functools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

# Not by import statements, for the files that are meant lie beside this one in a run's folder and not in a package.
_hooks = __import__("_deepresearch_hooks")  # type: Any
_logged = __import__("jupyter_deepresearch").logged  # type: Callable[[str, object, Mapping[str, object]], None]

writers = __import__("weakref").WeakSet()  # type: set[Any]
_GLOBAL_STEPS = ("trainer/global_step", "train/global_step")


class Hook:
    """A method that logs: the names that its class has had, its own name, and the reader of its arguments.

    ``optional``: its absence is no fault, because another version of the library keeps it elsewhere.
    """

    def __init__(
        self, source: str, owners: str, method: str, read: "Callable[..., None]", optional: bool = False
    ) -> None:
        self.source, self.owners, self.method, self.read = source, owners.split(), method, read
        self.optional = optional


def _wandb(run: "Any", data: "Any", step: "Any" = None, commit: "bool | None" = None, sync: "Any" = None) -> None:
    at, values = _with_global_step(data, step)
    if at is None:
        advanced = commit is None or bool(commit)  # the run's own count, which the call has moved
        at = run._local_step - 1 if advanced else run._local_step
    _logged("wandb", at, values)


def _wandb_disabled(
    run: "Any", data: "Any", step: "Any" = None, commit: "bool | None" = None, sync: "Any" = None
) -> None:
    """A disabled run counts nothing: count as a real one would."""
    at, values = _with_global_step(data, step)
    count = getattr(run, "_deepresearch_step", 0)
    count = count if step is None else max(count, int(step))
    run._deepresearch_step = count + 1 if commit or (commit is None and step is None) else count
    _logged("wandb", count if at is None else at, values)


def _with_global_step(data: "Mapping[str, Any]", step: "Any") -> "tuple[Any, dict[str, Any]]":
    """The step as Lightning's and Transformers' own wandb loggers tell it, among the values; nested names joined."""
    values = dict(_flat("", data))
    for name in _GLOBAL_STEPS:
        told = values.pop(name, None)
        step = told if step is None else step
    return step, values


def _flat(prefix: str, data: "Mapping[str, Any]") -> "Any":
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flat(prefix + str(name) + "/", value)
        else:
            yield prefix + str(name), value


def _add_scalar(
    writer: "Any", tag: str, scalar_value: "Any", global_step: "Any" = None, *_: object, **__: object
) -> None:
    writers.add(writer)
    if tag != "hp_metric" or scalar_value != -1:  # what Lightning's logger writes where there is no such metric
        _logged("tensorboard", global_step, {tag: scalar_value})


def _add_scalars(
    writer: "Any", main_tag: str, tag_scalar_dict: "Any", global_step: "Any" = None, *_: object, **__: object
) -> None:
    writers.add(writer)
    _logged("tensorboard", global_step, {main_tag + "/" + tag: value for tag, value in tag_scalar_dict.items()})


def _log_metric(
    client: "Any",
    run_id: str,
    key: str,
    value: "Any",
    timestamp: "Any" = None,
    step: "Any" = None,
    *_: "Any",
    **__: "Any",
) -> None:
    _logged("mlflow", step or 0, {key: value})


def _log_batch(client: "Any", run_id: str, metrics: "Any" = (), *_: object, **__: object) -> None:
    steps = {}  # type: dict[object, dict[str, object]]
    for metric in metrics:
        if not metric.key.startswith("system/"):  # the machine's, sampled by mlflow itself
            steps.setdefault(metric.step, {})[metric.key] = metric.value
    for step in steps:
        _logged("mlflow", step, steps[step])


def _lightning(connector: "Any", metrics: "Mapping[str, Any]", step: "Any" = None) -> None:
    values = dict(metrics)
    values.pop("epoch", None)
    if step is None:
        step = values.pop("step", None)
    if step is None:
        step = connector.trainer.fit_loop.epoch_loop._batches_that_stepped
    _logged("lightning", int(step), values)


def _fabric(fabric: "Any", metrics: "Mapping[str, Any]", step: "Any" = None) -> None:
    _logged("lightning", step, metrics)


def _trainer(trainer: "Any", logs: "Mapping[str, Any]", *_: object, **__: object) -> None:
    _logged("transformers", trainer.state.global_step, {name: logs[name] for name in logs if name != "epoch"})


def _accelerate(accelerator: "Any", values: "Mapping[str, Any]", step: "Any" = None, *_: object, **__: object) -> None:
    _logged("accelerate", step, values)


def _keras(callbacks: "Any", epoch: int, logs: "Mapping[str, Any] | None" = None) -> None:
    _logged("keras", epoch, logs or {})


def _fastai(recorder: "Any") -> None:
    values = dict(zip(recorder.metric_names, recorder.log))
    _logged("fastai", recorder.learn.epoch, {name: values[name] for name in values if name not in ("epoch", "time")})


_LIGHTNING = (Hook("lightning", "_LoggerConnector LoggerConnector", "log_metrics", _lightning),)
_FABRIC = (Hook("lightning", "Fabric", "log_dict", _fabric),)
_ADD = Hook("tensorboard", "SummaryWriter", "add_scalar", _add_scalar)
_KERAS = Hook("keras", "CallbackList", "on_epoch_end", _keras)
_OLD_KERAS = (Hook("keras", "CallbackList", "on_epoch_end", _keras, optional=True),)

HOOKS = {
    "wandb.sdk.wandb_run": (Hook("wandb", "Run", "log", _wandb),),
    "wandb.sdk.lib.noop_run": (Hook("wandb", "NoopRun", "log", _wandb_disabled),),
    "torch.utils.tensorboard.writer": (_ADD, Hook("tensorboard", "SummaryWriter", "add_scalars", _add_scalars)),
    "tensorboardX.writer": (_ADD, Hook("tensorboard", "SummaryWriter", "add_scalars", _add_scalars)),
    "mlflow.tracking.client": (
        Hook("mlflow", "MlflowClient", "log_metric", _log_metric),
        Hook("mlflow", "MlflowClient", "log_batch", _log_batch),
    ),
    "lightning.pytorch.trainer.connectors.logger_connector.logger_connector": _LIGHTNING,
    "pytorch_lightning.trainer.connectors.logger_connector.logger_connector": _LIGHTNING,
    "lightning.fabric.fabric": _FABRIC,
    "lightning_fabric.fabric": _FABRIC,
    "transformers.trainer": (Hook("transformers", "Trainer", "log", _trainer),),
    "accelerate.accelerator": (Hook("accelerate", "Accelerator", "log", _accelerate),),
    "keras.src.callbacks.callback_list": (_KERAS,),
    "keras.src.callbacks": _OLD_KERAS,
    "keras.callbacks": _OLD_KERAS,
    "tf_keras.src.callbacks": _OLD_KERAS,
    "fastai.learner": (Hook("fastai", "Recorder", "after_epoch", _fastai),),
}


def wrap(module: "ModuleType") -> None:
    """Wrap, in place, what logs in the module. What is not there is noted, and no fault."""
    if module.__name__ == "tqdm.notebook":
        __import__("_deepresearch_bars").wrap_bars(module)
        return
    for hook in HOOKS[module.__name__]:
        owner = next((getattr(module, name) for name in hook.owners if hasattr(module, name)), None)
        method = getattr(owner, hook.method, None)
        if method is None:
            if not hook.optional:
                missing = f"{module.__name__} has no {hook.owners[0]}.{hook.method}"
                _hooks.note_unread(hook.source, missing + " (another version than those known?)")
        elif not hasattr(method, "_deepresearch_read"):
            setattr(owner, hook.method, wrapped(method, hook.source, hook.read))


def wrapped(method: "Callable[..., Any]", source: str, read: "Callable[..., None]") -> "Callable[..., Any]":
    """The method, which afterwards lets ``read`` see its arguments. An error of ``read`` is noted, once."""

    @functools.wraps(method)
    def logging_method(self: "Any", *args: "Any", **kwargs: "Any") -> "Any":
        result = method(self, *args, **kwargs)
        try:
            read(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 (the library has done its work; the person's program goes on)
            _hooks.note_unread(source, error)
        return result

    logging_method._deepresearch_read = read  # type: ignore[attr-defined]
    return logging_method
