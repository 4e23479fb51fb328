"""An application on the published Python SDK 0.4, which speaks OTLP.

BROKLE_API_KEY and BROKLE_BASE_URL name the server. The last line printed is a JSON object of what the client was told.
"""
import json
import os
import sys

import brokle
from brokle import Brokle

told = {"version": brokle.__version__}
client = Brokle(api_key=os.environ["BROKLE_API_KEY"], base_url=os.environ["BROKLE_BASE_URL"], timeout=5)
told["validated"] = client.auth_check()
told["refused"] = Brokle(api_key="bk_0000000000000000000000000000000000000000", base_url=os.environ["BROKLE_BASE_URL"], timeout=5, tracing_enabled=False).auth_check()
with client.start_as_current_generation(name="chat", model="gpt-4o-mini", provider="openai"):
    pass
told["flushed"] = bool(client.flush(timeout_seconds=10))
print(json.dumps(told))
sys.stdout.flush()
os._exit(0)
