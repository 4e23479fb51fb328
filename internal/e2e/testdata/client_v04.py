"""An application on the published Python SDK 0.4, which speaks OTLP, with a scorer's results.

BROKLE_API_KEY, BROKLE_BASE_URL and BROKLE_ENVIRONMENT say where to, PROVIDER a stand-in for a model's provider. The last line printed is a
JSON object of what the client was told.
"""
import json
import os
import sys

import agent
import brokle
from brokle import Brokle, get_client
from brokle.wrappers import wrap_openai
from openai import OpenAI

told = {"version": brokle.__version__}
client = get_client()  # the one that wrappers report to
told["validated"] = client.auth_check()
told["refused"] = Brokle(api_key="bk_0000000000000000000000000000000000000000", base_url=os.environ["BROKLE_BASE_URL"], timeout=5, tracing_enabled=False).auth_check()


def get_weather(city):
    with client.start_as_current_span(name="get_weather"):
        return {"city": city, "sky": "rain"}


with client.start_as_current_span(name="support-agent", attributes={"user.id": "user-1", "session.id": "session-1"}) as span:
    told["trace"] = format(span.get_span_context().trace_id, "032x")
    agent.ask(wrap_openai(agent.provider(OpenAI)), get_weather)
told["flushed"] = bool(client.flush(timeout_seconds=10))
for again in range(2):
    told["scores"] = [
        client.scores.submit(trace_id=told["trace"], name="quality", value=0.9, reason="good", metadata={"by": "test"}),
        client.scores.batch([
            {"trace_id": told["trace"], "name": "passed", "value": 1, "type": "BOOLEAN", "source": "human"},
            {"trace_id": told["trace"], "name": "label", "value": 0, "type": "CATEGORICAL", "string_value": "fine", "source": "llm"},
            {"trace_id": told["trace"], "value": 1},
        ]),
    ]
try:
    client.scores.submit(trace_id="", name="nothing", value=1)
except Exception as e:
    told["raised"] = type(e).__name__
print(json.dumps(told))
sys.stdout.flush()
os._exit(0)
