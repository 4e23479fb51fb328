"""Sends an agent for each line that it reads, through OpenTelemetry's own exporters, and prints its trace when the server has taken it, else "-"."""
import os
import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

headers = {"x-api-key": os.environ["KEY"]}
if os.environ["DOOR"] == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=os.environ["GRPC_ADDR"], insecure=True, headers=tuple(headers.items()))
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=os.environ["HTTP_URL"] + "/v1/traces", headers=headers, compression=Compression.Gzip)

kept = InMemorySpanExporter()
provider = TracerProvider(resource=Resource({"service.name": "agent", "deployment.environment.name": os.environ["ENVIRONMENT"]}))
provider.add_span_processor(SimpleSpanProcessor(kept))
tracer = provider.get_tracer("e2e")


def chat(tokens_in, tokens_out):
    return tracer.start_as_current_span("chat m-1", kind=SpanKind.CLIENT, attributes={
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m-1", "gen_ai.response.model": "m-1-2026",
        "gen_ai.usage.input_tokens": tokens_in, "gen_ai.usage.output_tokens": tokens_out})


def agent():
    """One run: a call that streams, a tool that fails, and a call that answers."""
    with tracer.start_as_current_span("invoke_agent", attributes={"gen_ai.operation.name": "invoke_agent"}) as root:
        with chat(20, 5) as span:
            span.add_event("gen_ai.first_token")
        with tracer.start_as_current_span("execute_tool look-up", attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look-up"}) as tool:
            tool.record_exception(ValueError("nothing found"))
            tool.set_status(Status(StatusCode.ERROR, "nothing found"))
        with chat(40, 7):
            pass
    return format(root.get_span_context().trace_id, "032x")


for _ in sys.stdin:
    kept.clear()
    trace_id = agent()
    taken = exporter.export(kept.get_finished_spans()) is SpanExportResult.SUCCESS
    print(trace_id if taken else "-", flush=True)
exporter.shutdown()
