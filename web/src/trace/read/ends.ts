// Why answers end, in the words of all providers.

const cut = ["length", "max_tokens", "max_output_tokens", "model_context_window_exceeded", "token_limit"];
const filtered = [
  "content_filter",
  "content_filtered",
  "safety",
  "recitation",
  "blocklist",
  "prohibited_content",
  "spii",
  "image_safety",
  "guardrail_intervened",
  "refusal",
];
const failed = ["error", "failed", "malformed_function_call", "unexpected_tool_call", "other", "cancelled", "aborted"];

/** Ending is what an end means; bad is true of an answer that is not whole. */
export interface Ending {
  text: string;
  bad: boolean;
}

/** endingOf reads a finish reason as it was sent. */
export function endingOf(reason: string): Ending {
  const word = reason.toLowerCase().replaceAll("-", "_");
  if (cut.includes(word)) return { text: `cut off: ${reason}`, bad: true };
  if (filtered.includes(word)) return { text: `filtered: ${reason}`, bad: true };
  if (failed.includes(word)) return { text: `failed: ${reason}`, bad: true };
  return { text: `ended: ${reason}`, bad: false };
}
