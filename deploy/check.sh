#!/bin/sh
# Checks the examples of this directory, with as much as this machine has:
# kubectl renders the Kubernetes example, docker or Python reads the compose file,
# systemd-analyze reads the unit.
set -eu
cd "$(dirname "$0")"
checked=0
if command -v kubectl >/dev/null; then
	kubectl kustomize kubernetes >/dev/null
	replicated=$(kubectl kustomize kubernetes-replicated)
	! echo "$replicated" | grep -Eq '^  name: clickhouse$' || { echo "kubernetes-replicated: the single ClickHouse is still in it"; exit 1; }
	checked=1
	echo "kubernetes: kubectl renders both"
fi
if docker compose version >/dev/null 2>&1; then
	for file in compose.yaml compose-replicas.yaml; do BROKLE_KEY=bk_check_0123456789 docker compose -f "$file" config --quiet; done
	checked=1
	echo "compose: docker compose reads both"
fi
if python3 -c 'import yaml' 2>/dev/null; then
	python3 - compose.yaml compose-replicas.yaml kubernetes/*.yaml kubernetes-replicated/*.yaml clickhouse/*.yaml clickhouse/*.xml grafana/* <<'PY'
import json, os, sys, yaml
import xml.etree.ElementTree as xml
for name in sys.argv[1:]:
    if name.endswith(".json"):
        assert json.load(open(name))["panels"], name
        continue
    if name.endswith(".xml"):
        assert xml.parse(name).getroot().tag == "clickhouse", name
        continue
    with open(name) as f:
        for doc in yaml.safe_load_all(f):
            if name.startswith("compose"):
                servers = {"clickhouse"} if name == "compose.yaml" else {"clickhouse-1", "clickhouse-2", "clickhouse-3", "statements", "tables"}
                assert {"redis", "node-1", "node-2", "node-3", "balancer"} | servers <= set(doc["services"]), name
                for c in doc["configs"].values():
                    assert "content" in c or os.path.exists(c["file"]), c
                for s in doc["services"].values():
                    for v in s.get("volumes", []):
                        assert v.split(":")[0] in doc["volumes"], v
                    for c in s.get("configs", []):
                        assert c["source"] in doc["configs"], c
                    assert all(d in doc["services"] for d in s.get("depends_on", [])), s
                    assert s["read_only"] and s["cap_drop"] == ["ALL"] and "no-new-privileges:true" in s["security_opt"], s
            elif name.startswith("grafana"):
                assert doc["apiVersion"] == 1, name
            else:
                assert doc["apiVersion"] and doc["kind"], name
                pod = doc.get("spec", {}).get("template", {}).get("spec")
                if pod:
                    assert pod["securityContext"]["runAsNonRoot"], name
                    for c in pod["containers"] + pod.get("initContainers", []):
                        sc = c["securityContext"]
                        assert sc["readOnlyRootFilesystem"] and sc["capabilities"]["drop"] == ["ALL"] and not sc["allowPrivilegeEscalation"], name
PY
	checked=1
	echo "all of it is YAML, XML or JSON, the compose files refer to what is there, and no container is root or writes to its root"
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
