// The one shape in which conversations are drawn, whoever sent them.
import type { Obj } from "./left.ts";

/** Medium is a picture, a sound, a video or a file. */
export interface Medium {
  modality: string; // image, audio, video or file, or as it was sent
  type: string; // such as image/png; "" when nobody said
  data: string; // base64; "" when it is elsewhere
  uri: string; // where it is, or the id of the provider
  name: string;
  kept?: Kept; // the server has the bytes, in a store of their own
}

/** Kept is what the server took out of a payload: by the hash of its bytes, with their number. */
export interface Kept {
  hash: string;
  bytes: number;
}

export type Part =
  | { kind: "text" | "reasoning" | "refusal"; text: string } // reasoning without text was sent in a form that cannot be read
  | { kind: "json"; value: unknown }
  | { kind: "call"; id: string; name: string; input: unknown }
  | { kind: "result"; id: string; name: string; parts: Part[]; failed: boolean }
  | { kind: "medium"; medium: Medium };

export interface Message {
  role: string; // as it was sent
  name: string;
  parts: Part[];
  end: string; // why an answer ended, as it was sent; "" when nobody said
  usage: unknown; // undefined when it was not sent
  more: Obj | undefined; // what is not drawn
}

/** Tool is one that the model was offered. */
export interface Tool {
  name: string;
  description: string;
  schema: unknown; // of its arguments; undefined when it was not sent
  more: Obj | undefined;
}

/** Reading is a payload that is a conversation: a request, an answer, or messages. */
export interface Reading {
  messages: Message[];
  tools: Tool[];
  format: unknown; // what form the answer is to have; undefined when nobody said
  usage: unknown; // of all of it
  more: Obj | undefined;
}

/** side is the role that a word for one means, for colours and comparison. */
export function side(role: string): string {
  const r = role.toLowerCase();
  if (r === "developer") return "system";
  if (r === "human") return "user";
  if (r === "function") return "tool";
  return r === "model" || r === "ai" || r === "aimessagechunk" ? "assistant" : r;
}
