// Sends an agent for each line that it reads, through OpenTelemetry's own exporters, and prints its trace when the server has taken it, else "-".
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(join(process.env.MODULES, "package.json"));
const { SpanKind, SpanStatusCode, context, trace } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { OTLPTraceExporter } = require(process.env.DOOR === "proto" ? "@opentelemetry/exporter-trace-otlp-proto" : "@opentelemetry/exporter-trace-otlp-http");

const exporter = new OTLPTraceExporter({ url: `${process.env.HTTP_URL}/v1/traces`, headers: { "x-api-key": process.env.KEY }, compression: "gzip" });
const kept = new InMemorySpanExporter();
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "agent", "deployment.environment.name": process.env.ENVIRONMENT }),
  spanProcessors: [new SimpleSpanProcessor(kept)],
});
const tracer = provider.getTracer("e2e");

// One run: a call that streams, a tool that fails, and a call that answers.
function agent() {
  const root = tracer.startSpan("invoke_agent", { attributes: { "gen_ai.operation.name": "invoke_agent" } });
  const within = trace.setSpan(context.active(), root);
  const chat = (tokensIn, tokensOut) => tracer.startSpan("chat m-1", {
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m-1", "gen_ai.response.model": "m-1-2026",
      "gen_ai.usage.input_tokens": tokensIn, "gen_ai.usage.output_tokens": tokensOut,
    },
  }, within);
  const first = chat(20, 5);
  first.addEvent("gen_ai.first_token");
  first.end();
  const tool = tracer.startSpan("execute_tool look-up", { attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look-up" } }, within);
  tool.recordException(new Error("nothing found"));
  tool.setStatus({ code: SpanStatusCode.ERROR, message: "nothing found" });
  tool.end();
  chat(40, 7).end();
  root.end();
  return root.spanContext().traceId;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
for await (const _ of createInterface({ input: process.stdin })) {
  kept.reset();
  const id = agent();
  await pause(1); // spans of one tick are exported by a microtask
  const result = await new Promise((done) => exporter.export(kept.getFinishedSpans(), done));
  if (result.code !== 0) console.error(result.error);
  console.log(result.code === 0 ? id : "-");
}
await exporter.shutdown();
