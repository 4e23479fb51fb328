"""Prompts by the published clients of Brokle and of Langfuse. KEY and URL say where; the last line printed is a JSON object of what they were told."""
import json
import os

from brokle import Brokle
from brokle.prompts.types import PromptType, UpsertPromptRequest
from langfuse import Langfuse

told = {}
with Brokle(api_key=os.environ["KEY"], base_url=os.environ["URL"], environment="prompts") as client:
    made = client.prompts.upsert(UpsertPromptRequest(name="greeting", type=PromptType.TEXT, template={"content": "Hello {{name}}!"}, labels=["production"], tags=["nice"], commit_message="first"))
    told["made"] = [made.version, made.variables, sorted(made.labels), made.tags, made.commit_message]
    chat = {"messages": [{"role": "system", "content": "You are {{who}}."}, {"role": "user", "content": "{{q}}"}]}
    client.prompts.upsert(UpsertPromptRequest(name="agent", type=PromptType.CHAT, template=chat, config={"model": "m", "temperature": 0.5}))
    client.prompts.upsert(UpsertPromptRequest(name="greeting", type=PromptType.TEXT, template={"content": "Hi {{name}}!"}))
    got = client.prompts.get("greeting", label="production")
    told["production"] = [got.version, got.compile_text({"name": "Ada"}), got.is_fallback]
    told["newest"] = client.prompts.get("greeting").version
    told["second"] = client.prompts.get("greeting", version=2).compile_text({"name": "Ada"})
    agent = client.prompts.get("agent")
    told["chat"] = [agent.to_openai_messages({"who": "kind", "q": "Why?"}), agent.get_model_config()]
    listed = client.prompts.list(limit=1, page=2)
    told["list"] = [[p.name for p in listed.data], listed.data[0].labels, listed.data[0].latest_version, listed.pagination.total, listed.pagination.pages]
    told["fallback"] = client.prompts.get("none", fallback="compiled in").is_fallback
    try:
        client.prompts.get("none")
    except Exception as e:
        told["none"] = type(e).__name__
    with client.start_as_current_generation(name="greet", model="gpt-4o-mini", provider="openai", prompt=got) as span:
        told["trace"] = format(span.get_span_context().trace_id, "032x")
    client.flush()

langfuse = Langfuse(public_key="pk", secret_key=os.environ["KEY"], host=os.environ["URL"])
theirs = langfuse.get_prompt("greeting")
told["theirs"] = [theirs.version, theirs.compile(name="Ada"), theirs.labels]
made = langfuse.create_prompt(name="theirs", type="chat", prompt=[{"role": "user", "content": "{{q}}"}], labels=["production"], config={"model": "m"}, commit_message="c")
told["created"] = [made.version, langfuse.get_prompt("theirs", type="chat").compile(q="Why?"), made.config]
with langfuse.start_as_current_observation(name="ask", as_type="generation", prompt=theirs) as generation:
    told["their_trace"] = generation.trace_id
langfuse.flush()
print(json.dumps(told))
