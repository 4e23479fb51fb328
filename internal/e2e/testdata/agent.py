"""The agent that every Python client here reports: a call that asks for a tool, the tool, a streamed answer, and a call
that the provider refuses. PROVIDER is a stand-in for the model's provider.
"""
import json
import os

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
QUESTION = "How is the weather?"


def provider(OpenAI):
    return OpenAI(api_key="sk-test", base_url=os.environ["PROVIDER"] + "/v1", max_retries=0)


def ask(client, get_weather):
    import openai

    messages = [{"role": "system", "content": "You are terse."}, {"role": "user", "content": QUESTION}]
    reply = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS, temperature=0.5).choices[0].message
    call = reply.tool_calls[0]
    found = get_weather(**json.loads(call.function.arguments))
    messages += [reply, {"role": "tool", "tool_call_id": call.id, "content": json.dumps(found)}]
    text = ""
    for chunk in client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True, stream_options={"include_usage": True}):
        if chunk.choices and chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "too much"}])
    except openai.RateLimitError:
        pass
    return text
