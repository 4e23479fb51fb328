#!/usr/bin/env bash
# Two JavaScript tokenizers of one encoding: one throws on text that the other counts, and they count a byte-order mark differently.
#
# Guessed: o200k_base is o200k_base: the same count for every text.
# Seen 2026-11-28, gpt-tokenizer 4.0.0 and js-tiktoken 1.0.21 from npm:
#   "<|im_start|>system"   gpt-tokenizer throws (disallowed special token) · js-tiktoken counts 7
#   "<|endoftext|>"        both throw, so a text that a user typed can end a count
#   U+FEFF before "x"      3 and 2
#   encodeChat with and without `name`   8 and 8 for gpt-4o: the name costs nothing
# Means for us: a count of a tokenizer is an estimate and is marked as one; code that estimates must take special words as
# plain text, and must not let an error of the count cost the call.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit gpt-tokenizer@4.0.0 js-tiktoken@1.0.21
cat >count.mjs <<'JS'
import assert from 'node:assert/strict'
import { encode, encodeChat } from 'gpt-tokenizer'
import { getEncoding } from 'js-tiktoken'
const other = getEncoding('o200k_base')
const count = f => { try { return f().length } catch { return 'throws' } }
for (const [text, one, two] of [['hello world', 2, 2], ['<|im_start|>system', 'throws', 7], ['<|endoftext|>', 'throws', 'throws'], ['\ufeffx', 3, 2]]) {
  const got = [count(() => encode(text)), count(() => other.encode(text))]
  console.log(JSON.stringify(text), got)
  assert.deepEqual(got, [one, two])
}
const said = { role: 'user', content: 'hi' }
const got = [encodeChat([said], 'gpt-4o').length, encodeChat([{ ...said, name: 'x' }], 'gpt-4o').length]
console.log('encodeChat', got)
assert.equal(got[0], got[1])
JS
node count.mjs
