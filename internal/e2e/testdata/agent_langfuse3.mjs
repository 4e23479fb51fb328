// The agent under Langfuse's JavaScript client 3, which sends batches. KEY and HOST name the server, PROVIDER a stand-in for a model's provider.
import { Langfuse } from "langfuse";

const client = new Langfuse({ publicKey: "pk-lf-test", secretKey: process.env.KEY, baseUrl: process.env.HOST, environment: process.env.ENVIRONMENT, release: "r1" });
const told = { errors: [] };
client.on("error", (e) => told.errors.push(String(e)));
const question = "How is the weather?";
const messages = [{ role: "user", content: question }];
const chat = async (body) =>
  (await fetch(process.env.PROVIDER + "/v1/chat/completions", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();

const trace = client.trace({ name: "support", userId: "user-1", sessionId: "session-1", tags: ["chat", "prod"], metadata: { plan: "pro" }, input: { question } });
const agent = trace.span({ name: "support-agent", input: { question }, version: "v7" });
const asked = agent.generation({ name: "ask", model: "gpt-4o-mini", input: messages, modelParameters: { temperature: 0.5 } });
const reply = await chat({ model: "gpt-4o-mini", messages, tools: [{ type: "function", function: { name: "get_weather" } }] });
asked.end({ output: reply.choices[0].message, model: reply.model, usage: reply.usage });
agent.span({ name: "get_weather", input: { city: "Oslo" } }).end({ output: { sky: "rain" } });
const streamed = agent.generation({ name: "answer", model: "gpt-4o-mini", input: messages });
streamed.update({ completionStartTime: new Date() });
streamed.end({
  output: "It rains.", model: reply.model, costDetails: { input: 0.25, output: 0.5 },
  usageDetails: { input: 20, output: 20, output_reasoning_tokens: 30, cache_read_input_tokens: 80 },
});
agent.generation({ name: "refused", model: "gpt-4o-mini", input: "too much", level: "ERROR", statusMessage: "429 Rate limit", endTime: new Date() });
agent.event({ name: "noticed" });
agent.end({ output: "It rains." });
trace.update({ output: "It rains." });
trace.score({ name: "quality", value: 0.9, comment: "good" });
asked.score({ name: "label", value: "fine", dataType: "CATEGORICAL" });
client.trace({ name: "look", input: { image: "data:image/png;base64,iVBORw0KGgo=" } });
await client.flushAsync();
told.trace = trace.id;
await client.shutdownAsync();
console.log(JSON.stringify(told));
