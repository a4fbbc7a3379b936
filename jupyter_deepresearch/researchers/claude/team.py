"""Who is asked: the leader and its three workers, each with its job, its model, its tools and its limits."""

from dataclasses import dataclass

from ...core.research import Meter, Seen
from ...errors import ResearcherStopped
from .agent import CODE_LIMITS, IDEA_LIMITS, LEADER_LIMITS, WRITING_LIMITS, Agent, Limits
from .conversation import Conversation
from .line import Line, Step
from .papers import Papers
from .prompts import Prompts
from .shelf import Shelf
from .tools.code import code_tools
from .tools.idea import idea_tools
from .tools.leader import leader_tools
from .tools.tool import Tool
from .tools.writing import writing_tools


@dataclass(frozen=True)
class Team:
    """Opens conversations. ``line`` lives as long as the researcher."""

    line: Line
    prompts: Prompts
    shelf: Shelf
    papers: Papers

    def leader(self, seen: Seen, meter: Meter, step: Step) -> Conversation:
        """Who plans."""
        agent = _agent("leader", leader_model(seen), seen, self.prompts["leader"], leader_tools(seen), LEADER_LIMITS)
        return Conversation(agent, self.line, meter, step)

    def reflecting(self, seen: Seen, meter: Meter, step: Step) -> Conversation:
        """The leader, looking back: all that it needs is shown to it, so it has no tools."""
        agent = _agent("leader", leader_model(seen), seen, self.prompts["reflect"], (), LEADER_LIMITS)
        return Conversation(agent, self.line, meter, step)

    def code(self, seen: Seen, meter: Meter, step: Step, of: int | None = None) -> Conversation:
        """Who writes code, on top of what hypotheses grow from, or of experiment ``of``."""
        agent = _agent("code worker", worker_model(seen), seen, self.prompts["code"], code_tools(seen, of), CODE_LIMITS)
        return Conversation(agent, self.line, meter, step)

    def idea(self, seen: Seen, meter: Meter, step: Step) -> Conversation:
        """Who reads papers and notes."""
        tools = idea_tools(seen, self.shelf, self.papers)
        agent = _agent("idea worker", worker_model(seen), seen, self.prompts["idea"], tools, IDEA_LIMITS)
        return Conversation(agent, self.line, meter, step)

    def writing(self, seen: Seen, meter: Meter, step: Step) -> Conversation:
        """Who writes reports."""
        tools = writing_tools(seen, self.shelf)
        agent = _agent("writing worker", worker_model(seen), seen, self.prompts["writing"], tools, WRITING_LIMITS)
        return Conversation(agent, self.line, meter, step)


def leader_model(seen: Seen) -> str:
    """Who leads. Raises ResearcherStopped where nobody is named."""
    if seen.options.leader_model is None:
        raise ResearcherStopped("no model leads the research: set leader_model under [researcher], then resume")
    return seen.options.leader_model


def worker_model(seen: Seen) -> str:
    """Who works: the leader's model where no other is named."""
    return seen.options.worker_model or leader_model(seen)


def _agent(name: str, model: str, seen: Seen, system: str, tools: tuple[Tool, ...], limits: Limits) -> Agent:
    return Agent(name, model, seen.options.fallback_model, system, tools, limits)
