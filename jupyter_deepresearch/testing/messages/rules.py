"""Where the Messages API says 400: requests that a lenient double would let pass and the real server would not."""

from __future__ import annotations

from dataclasses import dataclass

from .complaint import Complaint, must
from .sent import SentRequest

KNOWN = {
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "user_profile_id",
    "workspace_id",
}


@dataclass(frozen=True)
class Limits:
    """What the server that is played does not have or cannot do."""

    models: tuple[str, ...] | None = None
    structured: bool | str = True
    tools: bool = True


def check(request: SentRequest, limits: Limits) -> None:
    """Raise Complaint where the API would."""
    body = request.body
    for name in body:
        must(name in KNOWN, f"{name}: Extra inputs are not permitted")
    for name in ("model", "messages", *(() if request.path.endswith("count_tokens") else ("max_tokens",))):
        must(name in body, f"{name}: Field required")
    if limits.models is not None and body["model"] not in limits.models:
        raise Complaint(f"model: {body['model']}", 404, "not_found_error")
    must(limits.tools or not body.get("tools"), "tools: this server takes no tools")
    must(limits.structured or "output_config" not in body, "output_config: Extra inputs are not permitted")
