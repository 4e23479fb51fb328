#!/usr/bin/env bash
# Vercel's AI SDK makes zeros of what a provider did not say, and a negative count of what does not add up.
#
# Guessed: no detail in the usage block gives undefined; the parts of a total are never negative; a count as text is read or ignored.
# Seen 2026-11-28, ai 6.0.326 with @ai-sdk/openai 3.0.141 from npm, chat completions of a stand-in:
#   no usage at all                     every count undefined
#   usage {} or {"total_tokens": 99}    input, output, total, cached and reasoning tokens are 0
#   prompt 10, cached 80                noCacheTokens -70; completion 50, reasoning 70 gives textTokens 0 (this side is cut at 0)
#   prompt_tokens "12"                  the whole answer is refused: "Invalid JSON response"
#   an {"error": …} chunk in a stream   an error part, and then the text that follows it is delivered all the same
# Means for us: zero tokens from this SDK with text in the output are "not said", and a negative part must not reach a sum.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit ai@6.0.326 @ai-sdk/openai@3.0.141 zod@4
cat >ask.mjs <<'JS'
import assert from 'node:assert/strict'
import http from 'node:http'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, streamText } from 'ai'
globalThis.AI_SDK_LOG_WARNINGS = false
let body = '', type = 'application/json'
const server = http.createServer((req, res) => {
  req.resume().on('end', () => { res.setHeader('content-type', type); res.end(body) })
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
const model = createOpenAI({ apiKey: 'x', baseURL: `http://127.0.0.1:${server.address().port}/v1` }).chat('gpt-4o')
async function counts(usage) {
  body = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm', usage,
    choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }] })
  const u = (await generateText({ model, prompt: 'x', maxRetries: 0 })).usage
  return [u.inputTokens, u.outputTokens, u.totalTokens, u.inputTokenDetails.noCacheTokens, u.inputTokenDetails.cacheReadTokens,
    u.outputTokenDetails.textTokens, u.outputTokenDetails.reasoningTokens]
}
const none = Array(7).fill(undefined), zero = Array(7).fill(0)
const odd = { prompt_tokens: 10, completion_tokens: 50, prompt_tokens_details: { cached_tokens: 80 }, completion_tokens_details: { reasoning_tokens: 70 } }
for (const [usage, want] of [[undefined, none], [{}, zero], [{ total_tokens: 99 }, zero], [odd, [10, 50, 60, -70, 80, 0, 70]]]) {
  const got = await counts(usage)
  console.log(JSON.stringify(usage), got)
  assert.deepEqual(got, want)
}
await assert.rejects(counts({ prompt_tokens: '12', completion_tokens: 1 }), /Invalid JSON response/)
type = 'text/event-stream'
const chunk = text => 'data: ' + JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm',
  choices: [{ index: 0, delta: { content: text }, finish_reason: null }] }) + '\n\n'
body = chunk('a') + 'data: {"error":{"message":"boom"}}\n\n' + chunk('b')
const parts = []
for await (const p of streamText({ model, prompt: 'x', onError() {} }).fullStream) parts.push(p.type === 'text-delta' ? p.text : p.type)
console.log(parts)
assert.deepEqual(parts.filter(p => ['a', 'error', 'b'].includes(p)), ['a', 'error', 'b'])
server.closeAllConnections()
server.close()
JS
node ask.mjs
