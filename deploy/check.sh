#!/bin/sh
# Checks the examples of this directory, with as much as this machine has:
# kubectl renders the Kubernetes example, docker or Python reads the compose file,
# systemd-analyze reads the unit.
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
                    assert s["read_only"] and s["cap_drop"] == ["ALL"] and "no-new-privileges:true" in s["security_opt"], s
            else:
                assert doc["apiVersion"] and doc["kind"], name
                pod = doc.get("spec", {}).get("template", {}).get("spec")
                if pod:
                    assert pod["securityContext"]["runAsNonRoot"], name
                    for c in pod["containers"]:
                        sc = c["securityContext"]
                        assert sc["readOnlyRootFilesystem"] and sc["capabilities"]["drop"] == ["ALL"] and not sc["allowPrivilegeEscalation"], name
PY
	checked=1
	echo "all of it is YAML, the compose file refers to what is there, and no container is root or writes to its root"
fi
if command -v systemd-analyze >/dev/null; then
	unit=$(mktemp -d)
	trap 'rm -rf "$unit"' EXIT
	sed 's#/usr/local/bin/brokle#/bin/true#' brokle.service >"$unit/brokle.service" # it need not be installed here
	out=$(systemd-analyze verify "$unit/brokle.service" 2>&1) && [ -z "$out" ] || { echo "systemd: $out"; exit 1; }
	checked=1
	echo "systemd: systemd-analyze accepts the unit; exposure: $(systemd-analyze security --offline=true "$unit/brokle.service" 2>/dev/null | tail -1 | sed 's/.*: //')"
fi
[ "$checked" = 1 ] || { echo "nothing here to check with: install kubectl, docker compose, python3-yaml or systemd"; exit 1; }
