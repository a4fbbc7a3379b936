"""What a view is answered: questions and commands, put to whoever answers for the project."""

from typing import Any

from ..answering import Answering
from .messages import Answer, Ask, DiffAsked, ExperimentAsked, HistoryAsked, ParametersAsked, Tell
from .picture import plain


def reply(client: Answering, project_id: str, message: Ask | Tell) -> Answer:
    """The answer. Raises what the client raises."""
    if isinstance(message, Tell):
        body = dict(message.body)
        seq = client.command(project_id, message.kind, message.command_id, **body)
        return Answer(message.id, {"seq": seq})
    return Answer(message.id, plain(_asked(client, project_id, message)))


def _asked(client: Answering, project_id: str, ask: Ask) -> Any:
    match ask.question:
        case HistoryAsked(before, limit):
            return client.newest(project_id, limit, before)
        case ExperimentAsked(experiment):
            return client.experiment(project_id, experiment)
        case DiffAsked(experiment, to):
            return client.changes(project_id, experiment, to)
        case ParametersAsked():
            return client.parameters(project_id)
