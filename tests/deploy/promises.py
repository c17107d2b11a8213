"""Holds the deployment files to what they promise; writes the ConfigMap's configuration to FOLDER/kubernetes.yaml."""

import json
import pathlib
import sys

import yaml

folder = pathlib.Path(sys.argv[1])


def load(path):
    return yaml.safe_load(pathlib.Path(path).read_text())


wrong = []


def promise(what, holds):
    if not holds:
        wrong.append(what)


deployment = load("deploy/kubernetes/deployment.yaml")
pod = deployment["spec"]["template"]["spec"]
(holdfast,) = pod["initContainers"]
(backend,) = pod["containers"]
configuration_text = load("deploy/kubernetes/config-map.yaml")["data"]["holdfast.yaml"]
(folder / "kubernetes.yaml").write_text(configuration_text)
configuration = yaml.safe_load(configuration_text)


def seconds(text):
    assert text.endswith("s"), text
    return int(text[:-1])


promise("Holdfast is a native sidecar", holdfast["restartPolicy"] == "Always")
promise("one replica, as the memory replay store asks", deployment["spec"]["replicas"] == 1)
for probe, path in {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}.items():
    promise(f"{probe} asks {path}", holdfast[probe]["httpGet"] == {"path": path, "port": "probes"})
promise("probes on 9080", {"name": "probes", "containerPort": 9080} in holdfast["ports"])
promise("the configuration's probes too", configuration["probes"]["address"] == ":9080")
promise("preStop drains", holdfast["lifecycle"]["preStop"]["exec"]["command"] == ["holdfast", "drain"])
delay, drain = (seconds(configuration["shutdown"][name]) for name in ("delay", "drain"))
promise("the backend outlives the delay", backend["lifecycle"]["preStop"]["sleep"]["seconds"] > delay)
promise("the pod is given the time to drain", pod["terminationGracePeriodSeconds"] > delay + drain)
promise("the backend listens on loopback only", "127.0.0.1" in backend["command"] and "ports" not in backend)
promise("the pod runs as nobody", pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0)
promise("seccomp", pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"})
for container in (holdfast, backend):
    context = container["securityContext"]
    promise(f"{container['name']} is restricted", context == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
secrets = {volume["name"] for volume in pod["volumes"] if "secret" in volume}
mounts = {mount["name"]: mount for mount in holdfast["volumeMounts"]}
tls = configuration["listeners"][0]["tls"]
promise("the certificate is the Secret's", any(
    tls["key"].startswith(mounts[name]["mountPath"] + "/") and mounts[name]["readOnly"] for name in secrets))
promise("only Holdfast's port is offered", [port["targetPort"] for port in load("deploy/kubernetes/service.yaml")["spec"]["ports"]] == ["https"])
for name in load("deploy/kubernetes/kustomization.yaml")["resources"]:
    promise(f"{name} exists", pathlib.Path("deploy/kubernetes", name).exists())

compose = load("docker-compose.yml")["services"]
promise("compose: the backend is not published", "ports" not in compose["backend"])
promise("compose: Holdfast waits for a healthy Keycloak", compose["holdfast"]["depends_on"]["keycloak"]["condition"] == "service_healthy")
promise("compose: Keycloak's health check needs no curl", compose["keycloak"]["healthcheck"]["test"][:2] == ["CMD", "bash"])

realm = json.loads(pathlib.Path("realm-export.json").read_text())
clients = {client["clientId"]: client for client in realm["clients"]}
bound = {name for name, client in clients.items() if client.get("attributes", {}).get("dpop.bound.access.tokens") == "true"}
promise("realm: the clients of the demonstration are bound", {"orders-web", "orders-batch"} <= bound)
promise("realm: the public client uses PKCE", clients["orders-web"]["attributes"]["pkce.code.challenge.method"] == "S256")
promise("realm: a mapper for the audience", any(
    mapper["config"].get("included.client.audience") == "orders-api"
    for scope in realm["clientScopes"] for mapper in scope.get("protocolMappers", [])))

for what in wrong:
    print("not so:", what)
sys.exit(bool(wrong))
