// The agent under Langfuse's JavaScript client 5, which speaks OTLP. KEY and HOST name the server, PROVIDER a stand-in for a model's provider.
import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const params = { publicKey: "pk-lf-test", secretKey: process.env.KEY, baseUrl: process.env.HOST };
const processor = new LangfuseSpanProcessor({ ...params, environment: process.env.ENVIRONMENT, release: "r1" });
const sdk = new NodeSDK({ spanProcessors: [processor] });
sdk.start();
const client = new LangfuseClient(params);
const told = {};
const question = "How is the weather?";
const messages = [{ role: "user", content: question }];
const chat = async (body) =>
  (await fetch(process.env.PROVIDER + "/v1/chat/completions", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();

await startActiveObservation("support-agent", async (agent) => {
  const of = { userId: "user-1", sessionId: "session-1", tags: ["chat", "prod"], metadata: { plan: "pro" }, traceName: "support" };
  await propagateAttributes(of, async () => {
    agent.update({ input: { question }, metadata: { attempt: 1, text: "17", nested: { a: [1, 2] } }, version: "v7" });
    const asked = agent.startObservation("ask", { model: "gpt-4o-mini", input: messages, modelParameters: { temperature: 0.5 } }, { asType: "generation" });
    const reply = await chat({ model: "gpt-4o-mini", messages, tools: [{ type: "function", function: { name: "get_weather" } }] });
    asked.update({ output: reply.choices[0].message, model: reply.model, usageDetails: reply.usage }).end();
    agent.startObservation("get_weather", { input: { city: "Oslo" } }, { asType: "tool" }).update({ output: { sky: "rain" } }).end();
    const streamed = agent.startObservation("answer", { model: reply.model, input: messages }, { asType: "generation" });
    streamed.update({
      completionStartTime: new Date(), output: "It rains.", costDetails: { input: 0.25, output: 0.5, total: 0.75 },
      usageDetails: { input: 20, output: 50, cache_read_input_tokens: 80 },
    }).end();
    const refused = { model: "gpt-4o-mini", input: "too much", level: "ERROR", statusMessage: "429 Rate limit" };
    agent.startObservation("refused", refused, { asType: "generation" }).end();
    agent.update({ output: "It rains." });
    client.score.activeTrace({ name: "quality", value: 0.9, comment: "good", environment: process.env.ENVIRONMENT });
    told.trace = agent.traceId;
  });
}, { asType: "agent" });
await startActiveObservation("look", async (o) => { o.update({ input: { image: "data:image/png;base64,iVBORw0KGgo=" } }); });
await client.flush();
await processor.forceFlush();
await sdk.shutdown();
console.log(JSON.stringify(told));
