#!/usr/bin/env bash
# A plain install of the official OpenAI instrumentation beside the newest OpenAI client cannot be imported, twice over.
#
# Guessed: what pip installs without a complaint can be imported.
# Seen 2026-11-29: opentelemetry-instrumentation-openai-v2 2.4b0 with openai 3.57.0 and nothing else named:
#   it imports httpx, which it does not ask for and openai 3 no longer brings (it uses httpx2): ModuleNotFoundError
#   with httpx there, it imports opentelemetry.util.genai.instruments, which opentelemetry-util-genai 1.3b0 has no more; it asks for any from 0.4b0 on
# With httpx 0.28.1 and opentelemetry-util-genai 0.4b0 it works.
# Means for us: docs/opentelemetry.md pins both, and names the successor.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
pip() { v/bin/pip install -q --no-compile --disable-pip-version-check "$@"; }
missing() { { v/bin/python -c 'import opentelemetry.instrumentation.openai_v2' 2>&1 || true; } | sed -n "s/^ModuleNotFoundError: No module named //p"; }
pip opentelemetry-instrumentation-openai-v2==2.4b0 openai==3.57.0 opentelemetry-util-genai==1.3b0
v/bin/pip check >/dev/null # nothing is missing, it says
first=$(missing); echo "plain install: $first is missing"
pip httpx==0.28.1
second=$(missing); echo "with httpx: $second is missing"
pip opentelemetry-util-genai==0.4b0
third=$(missing); echo "with the older util-genai: ${third:-nothing} is missing"
[ "$first" = "'httpx'" ] && [ "$second" = "'opentelemetry.util.genai.instruments'" ] && [ -z "$third" ]
