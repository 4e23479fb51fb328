"""The agent under an instrumentation of OpenAI's client, INSTRUMENTATION, whose spans go over OTLP. KEY and HOST name the server."""
import importlib
import json
import os

import agent
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource.create({"service.name": "support", "service.version": "r1", "deployment.environment.name": os.environ["ENVIRONMENT"]}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(os.environ["HOST"] + "/v1/traces", headers={"Authorization": "Bearer " + os.environ["KEY"]})))
trace.set_tracer_provider(provider)
importlib.import_module(os.environ["INSTRUMENTATION"]).OpenAIInstrumentor().instrument(tracer_provider=provider)
tracer = trace.get_tracer("app")
told = {}


def get_weather(city):
    with tracer.start_as_current_span("get_weather"):
        return {"city": city, "sky": "rain"}


with tracer.start_as_current_span("support-agent", attributes={"user.id": "user-1", "session.id": "session-1"}) as span:
    told["trace"] = format(span.get_span_context().trace_id, "032x")
    agent.ask(agent.provider(OpenAI), get_weather)
told["flushed"] = provider.force_flush()
provider.shutdown()
print(json.dumps(told))
