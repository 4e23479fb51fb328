"""The agent under Langfuse's Python client 2, which sends batches, and what its users do by hand. KEY and HOST name the server."""
import json
import os
import time

os.environ.update(LANGFUSE_PUBLIC_KEY="pk-lf-test", LANGFUSE_SECRET_KEY=os.environ["KEY"], LANGFUSE_HOST=os.environ["HOST"],
                  LANGFUSE_TRACING_ENVIRONMENT=os.environ["ENVIRONMENT"], LANGFUSE_RELEASE="r1")

import agent
from langfuse import Langfuse
from langfuse.decorators import langfuse_context, observe
from langfuse.media import LangfuseMedia
from langfuse.openai import OpenAI

client = Langfuse()
told = {"auth": client.auth_check()}
provider = agent.provider(OpenAI)


@observe(name="get_weather")
def get_weather(city):
    return {"city": city, "sky": "rain"}


@observe(name="support-agent")
def support_agent(question):
    return agent.ask(provider, get_weather)


@observe(name="support")
def support(question):
    text = support_agent(question)
    langfuse_context.update_current_trace(user_id="user-1", session_id="session-1", tags=["chat", "prod"], metadata={"plan": "pro"}, public=True)
    langfuse_context.score_current_trace(name="quality", value=0.9, comment="good")
    told["trace"] = langfuse_context.get_current_trace_id()
    return text


support(agent.QUESTION)
langfuse_context.flush()

trace = client.trace(name="by-hand", user_id="user-2", input={"q": 1})
step = trace.span(name="step", metadata={"a": 1})
step.event(name="tick")
generation = step.generation(name="gen", model="claude-sonnet-4-5", input=[{"role": "user", "content": "hi"}], level="WARNING", status_message="slow",
                             usage_details={"input": 20, "output": 50, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 10},
                             cost_details={"input": 0.25, "output": 0.5, "cache_read_input_tokens": 0.125, "total": 0.875})
generation.end(output="hello")
step.end()
trace.update(output={"a": 2})
client.score(trace_id=trace.id, observation_id=generation.id, name="label", value="fine", data_type="CATEGORICAL")
client.trace(name="look", input={"image": LangfuseMedia(content_bytes=b"not really", content_type="image/png")})
client.flush()

# Reading back what was just sent: as with its own server, it is there a moment later.
deadline = time.monotonic() + 30
while "read" not in told and time.monotonic() < deadline:
    try:
        found = client.fetch_trace(trace.id).data
        if len(found.observations) == 3 and found.scores:
            told["read"] = [found.name, found.input, found.output, found.total_cost, sorted(o.type for o in found.observations), found.scores[0].name]
    except Exception:
        pass
    time.sleep(0.1)
client.shutdown()
print(json.dumps(told))
