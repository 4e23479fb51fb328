// Media of a trace for a file that has no server to ask.
import { bytesAt } from "../api.ts";
import { references } from "./read/medium.ts";

// What goes into a file: pictures and sounds of at most this size, and of all together at most that. Others are named.
const LARGEST = 8 << 20;
const TOGETHER = 32 << 20;

/** embedded is the text of an answer with the base64 of pictures and sounds in the place of their references. */
export async function embedded(text: string): Promise<string> {
  const found = new Map<string, string>(); // base64 by hash
  let left = TOGETHER;
  for (const [, hash, type, size] of text.matchAll(references())) {
    const n = Number(size);
    if (found.has(hash!) || !/^(image|audio)\//.test(type!) || n > Math.min(LARGEST, left)) continue;
    const data = await bytesAt(`/v1/media/${hash}`);
    if (data === undefined) continue;
    found.set(hash!, await in64(data));
    left -= n;
  }
  return text.replace(references(), (reference, hash: string) => found.get(hash) ?? reference);
}

// in64 writes bytes as base64, a piece at a time: a whole one would be too many arguments.
async function in64(data: Blob): Promise<string> {
  const PIECE = 0x6000; // a multiple of three
  const all = new Uint8Array(await data.arrayBuffer());
  let out = "";
  for (let i = 0; i < all.length; i += PIECE) out += btoa(String.fromCharCode(...all.subarray(i, i + PIECE)));
  return out;
}
