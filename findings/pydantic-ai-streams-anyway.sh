#!/usr/bin/env bash
# pydantic-ai asks Anthropic for a stream although the program did not, and refuses an OpenAI answer whose usage lacks one number.
#
# Guessed: run_sync sends one plain request with a max_tokens of a few thousand; a usage block with a hole gives a hole.
# Seen 2026-11-28, pydantic-ai-slim 2.68.0, openai 3.57.0, anthropic 2.14.0 from PyPI:
#   Agent(claude-sonnet-4-5).run_sync sends "max_tokens": 64000 and "stream": true; with max_tokens=100 it sends "stream": false
#   OpenAI usage {"prompt_tokens": 12, "completion_tokens": 3} without total_tokens: UnexpectedModelBehavior, the answer is lost;
#   no usage at all is fine (unmeasured_requests = 1)
#   its own usage has input_tokens 100 with cache_read_tokens 80 in it, output_tokens 50 with output_reasoning_tokens 30 in it;
#   for the same wholes Anthropic's and Langfuse's names stand beside the parts
# Means for us: what holds for streams only (times to first token, counts one too many, cut streams) also meets programs that never
# stream; and a failed generation may have been answered and paid.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/v"
"$dir/v/bin/pip" install -q --no-compile --disable-pip-version-check 'pydantic-ai-slim[openai,anthropic]==2.68.0' openai==3.57.0 anthropic==2.14.0
"$dir/v/bin/python" -W ignore - <<'PY'
import http.server
import json
import threading
from pydantic_ai import Agent
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
asked, usage = [], None
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if self.path.startswith("/v1/messages"):
            body = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "hi"}],
                    "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}
        else:
            body = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "usage": usage,
                    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
claude = AnthropicModel("claude-sonnet-4-5", provider=AnthropicProvider(base_url=url, api_key="x"))
try:
    Agent(claude).run_sync("x")
except UnexpectedModelBehavior:
    pass  # the stand-in answers without a stream
Agent(claude, model_settings={"max_tokens": 100}).run_sync("x")
got = [(a["max_tokens"], a["stream"]) for a in asked]
print("Anthropic asked with", got)
assert got == [(64000, True), (100, False)], got
gpt = Agent(OpenAIChatModel("gpt-4o", provider=OpenAIProvider(base_url=url + "/v1", api_key="x")))
run = gpt.run_sync("x").usage
assert run.unmeasured_requests == 1, run
usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150, "prompt_tokens_details": {"cached_tokens": 80},
         "completion_tokens_details": {"reasoning_tokens": 30}}
run = gpt.run_sync("x").usage
got = run.input_tokens, run.cache_read_tokens, run.output_tokens, run.output_reasoning_tokens
print("its own usage", got)
assert got == (100, 80, 50, 30), got
usage = {"prompt_tokens": 12, "completion_tokens": 3}
try:
    gpt.run_sync("x")
except UnexpectedModelBehavior as e:
    print(str(e).splitlines()[0])
else:
    raise SystemExit("the answer was accepted")
PY
