#!/bin/sh
# Checks the examples of this directory, with as much as this machine has:
# kubectl renders the Kubernetes example, docker or Python reads the compose file.
set -eu
cd "$(dirname "$0")"
checked=0
if command -v kubectl >/dev/null; then
	kubectl kustomize kubernetes >/dev/null
	checked=1
	echo "kubernetes: kubectl renders it"
fi
if docker compose version >/dev/null 2>&1; then
	BROKLE_KEY=bk_check_0123456789 docker compose -f compose.yaml config --quiet
	checked=1
	echo "compose: docker compose reads it"
fi
if python3 -c 'import yaml' 2>/dev/null; then
	python3 - compose.yaml kubernetes/*.yaml <<'PY'
import sys, yaml
for name in sys.argv[1:]:
    with open(name) as f:
        for doc in yaml.safe_load_all(f):
            if name == "compose.yaml":
                assert {"redis", "node-1", "node-2", "node-3", "balancer"} <= set(doc["services"]), name
                for s in doc["services"].values():
                    for v in s.get("volumes", []):
                        assert v.split(":")[0] in doc["volumes"], v
                    for c in s.get("configs", []):
                        assert c["source"] in doc["configs"], c
                    assert all(d in doc["services"] for d in s.get("depends_on", [])), s
            else:
                assert doc["apiVersion"] and doc["kind"], name
PY
	checked=1
	echo "all of it is YAML, and the compose file refers to what is there"
fi
[ "$checked" = 1 ] || { echo "nothing here to check with: install kubectl, docker compose or python3-yaml"; exit 1; }
