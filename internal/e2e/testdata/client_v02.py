"""An application on a published Python SDK of the 0.2 line: what its users do with it.

BROKLE_API_KEY and BROKLE_HOST name the server, PROVIDER a stand-in for a model's provider, EVENTS says how many events
all this makes. The last line printed is a JSON object of what the client was told.
"""
import asyncio
import json
import os
import sys
import time

if os.environ.get("WITHOUT_ULID"):
    sys.modules["ulid"] = None  # 0.2.7 sends its own ids then, and with the python-ulid of today nothing at all

import brokle
from brokle import Brokle, observe
from brokle.auth import AuthManager

told = {"version": brokle.__version__}
client = Brokle(timeout=20)


def attempt(name, do):
    try:
        told[name] = do()
    except Exception as e:  # the test decides what may fail
        told[name] = f"{type(e).__name__}: {e}"


attempt("validated", lambda: asyncio.run(AuthManager(client.config).validate_api_key()).model_dump(exclude={"api_key"}))

# Events by hand, under the names of this version.
types = os.environ["EVENT_TYPES"].split(",")
if types[0]:
    trace, observation, score = types
    told["trace_id"] = client.submit_batch_event(trace, {"name": "checkout", "user_id": "user-1", "session_id": "session-1", "tags": ["manual"]})
    client.submit_batch_event(observation, {"trace_id": told["trace_id"], "name": "pay", "type": "llm", "model": "small-1",
                                            "usage": {"prompt_tokens": 12, "completion_tokens": 3}})
    client.submit_batch_event(score, {"trace_id": told["trace_id"], "name": "quality", "value": 0.9})


@observe(name="look-up")
def look_up(question):
    raise ValueError("nothing found for " + question)


@observe(name="answer", user_id="user-2", session_id="session-2", tags=["prod", "chat"])
def answer(question, style="short"):
    try:
        look_up(question)
    except ValueError:
        return "because"


answer("why?", style="long")

# A wrapped call of a provider's own client. Before 0.2.9 the wrapper itself fails, and the call goes on without telemetry.
def wrapped():
    from openai import OpenAI
    from brokle.wrappers import wrap_openai

    provider = wrap_openai(OpenAI(api_key="sk-test", base_url=os.environ["PROVIDER"] + "/v1"))
    reply = provider.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "why?"}], temperature=0.5)
    return reply.choices[0].message.content


attempt("wrapped", wrapped)

# A call of the API through the client itself: its telemetry goes to the server, too.
gateway = Brokle(api_key=client.config.api_key, host=os.environ["PROVIDER"], timeout=20)
attempt("chat", lambda: gateway.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "why?"}]).model)

# Its flush does not wait for what it has taken from its queue: wait until it has counted all, and then for what is being sent.
told["flushed"] = client.flush_processor(timeout=20)
deadline = time.monotonic() + 30
while client.get_processor_metrics()["items_processed"] < int(os.environ["EVENTS"]) and time.monotonic() < deadline:
    time.sleep(0.05)
client._background_processor._executor.shutdown(wait=True)
told["metrics"] = {k: v for k, v in client.get_processor_metrics().items() if k in ("items_processed", "items_failed", "last_error")}
print(json.dumps(told))
sys.stdout.flush()
os._exit(0)  # its threads and __del__ may wait for ever
