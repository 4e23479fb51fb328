"""The same call, first whole and then as a stream, under INSTRUMENTATION, whose spans and log records go over OTLP. KEY and HOST name the server, PROVIDER who answers."""
import importlib
import json
import os

from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

resource = Resource.create({"deployment.environment.name": os.environ["ENVIRONMENT"]})
headers = {"Authorization": "Bearer " + os.environ["KEY"]}
provider = TracerProvider(resource=resource)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(os.environ["HOST"] + "/v1/traces", headers=headers)))
trace.set_tracer_provider(provider)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(os.environ["HOST"] + "/v1/logs", headers=headers)))
_logs.set_logger_provider(logs)
module, _, name = os.environ["INSTRUMENTATION"].rpartition(".")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)

system, question = "Be short.", "Why is the sky blue?"
if name.startswith("OpenAI"):
    from openai import OpenAI

    client = OpenAI(base_url=os.environ["PROVIDER"] + "/v1", api_key="sk-test", max_retries=0)
    said = {"model": "gpt-4o-mini", "temperature": 0.5, "messages": [{"role": "system", "content": system}, {"role": "user", "content": question}]}
    client.chat.completions.create(**said)
    for _ in client.chat.completions.create(**said, stream=True, stream_options={"include_usage": True}):
        pass
else:
    from anthropic import Anthropic

    client = Anthropic(base_url=os.environ["PROVIDER"], api_key="sk-test", max_retries=0)
    said = {"model": "claude-sonnet-4-5", "max_tokens": 100, "system": system, "messages": [{"role": "user", "content": question}]}
    client.messages.create(**said)
    for _ in client.messages.create(**said, stream=True):
        pass
print(json.dumps({"flushed": provider.force_flush() and logs.force_flush()}))
provider.shutdown()
logs.shutdown()
