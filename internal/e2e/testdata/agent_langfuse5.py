"""The agent under Langfuse's Python client 3 and later, which speaks OTLP. KEY and HOST name the server."""
import json
import os

import agent
from langfuse import Langfuse, observe, propagate_attributes
from langfuse.media import LangfuseMedia
from langfuse.openai import OpenAI

client = Langfuse(public_key="pk-lf-test", secret_key=os.environ["KEY"], base_url=os.environ["HOST"], environment=os.environ["ENVIRONMENT"], release="r1")
told = {"auth": client.auth_check()}
provider = agent.provider(OpenAI)


@observe(as_type="tool")
def get_weather(city):
    return {"city": city, "sky": "rain"}


@observe(as_type="agent", name="support-agent")
def support(question):
    text = agent.ask(provider, get_weather)
    client.update_current_span(metadata={"attempt": 1, "text": "17", "nested": {"a": [1, 2]}}, version="v7")
    client.score_current_trace(name="quality", value=0.9, comment="good")
    client.score_current_span(name="label", value="fine", data_type="CATEGORICAL")
    told["trace"] = client.get_current_trace_id()
    return text


with propagate_attributes(user_id="user-1", session_id="session-1", tags=["chat", "prod"], metadata={"plan": "pro"}, trace_name="support"):
    support(agent.QUESTION)
with client.start_as_current_observation(name="look", input={"image": LangfuseMedia(content_bytes=b"not really", content_type="image/png")}):
    pass
client.flush()
client.shutdown()
print(json.dumps(told))
