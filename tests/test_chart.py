"""The Helm chart in `deploy/helm`: rendered by Helm itself, and looked at as a cluster would."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from pydantic import BaseModel

from agent.cli import main
from agent.personas.files import AgentFiles
from agent.personas.script import Details
from agent.server.registry import DRAINED_WITHIN, GOODBYE_WITHIN
from agent.settings import Settings, load
from agent.settings.allowed import Kind
from agent.sinch.follow_ups import FINISH_WITHIN
from agent.sinch_limits import MAX_SECONDS
from agent.store.engine import WITHIN
from tests import charts
from tests.charts import CHART, EXAMPLES, HELM_FOLDER, Manifest, container, of_kind, pod, rendered

pytestmark = pytest.mark.skipif(charts.helm() is None, reason=charts.WANTED)
NOW = Details(now=datetime.now(UTC))
each = pytest.mark.parametrize("example", EXAMPLES)

OLDEST = "1.27.0"
"""As `kubeVersion` of the chart has it."""


@each
def test_helm_finds_nothing_to_reproach(example: str) -> None:
    """Warnings count, too."""
    done = charts.run("lint", str(CHART), "--strict", "-f", str(charts.values_of(example)))
    assert done.returncode == 0, done.stdout


@each
@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_the_api_takes_every_manifest(example: str, version: str) -> None:
    """By the schemas of the oldest and the newest Kubernetes; unknown fields are none."""
    for manifest in rendered(example):
        if (schema := charts.CUSTOM.get(manifest["kind"])) is not None:
            jsonschema.Draft202012Validator(schema).validate(manifest)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_there_is_an_example_of_every_kind() -> None:
    """So that the tests above have seen each; the chart's oldest version is the one they ask."""
    seen = {manifest["kind"] for example in EXAMPLES for manifest in rendered(example)}
    templates = "".join(path.read_text() for path in (CHART / "templates").glob("*.yaml"))
    assert seen >= set(re.findall(r"^kind: (\w+)$", templates, re.MULTILINE))
    assert {"Deployment", "StatefulSet"} <= seen
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"] == f">={OLDEST}-0"


@each
def test_ports_are_there_by_their_names(example: str) -> None:
    """What a probe, a Service, a monitor, a route or a policy asks for is what the pod has."""
    manifests = rendered(example)
    of_pod = {port["name"]: port["containerPort"] for port in container(manifests)["ports"]}
    assert of_pod["http"] == 8080 == setting(manifests, "VOICE_AGENT_SERVER__PORT")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(manifests)[probe]["httpGet"]["port"] in of_pod
    (service,) = of_kind(manifests, "Service")
    of_service = {port["name"]: port["port"] for port in service["spec"]["ports"]}
    assert all(port["targetPort"] in of_pod for port in service["spec"]["ports"])
    for monitor in of_kind(manifests, "ServiceMonitor"):
        assert all(end["port"] in of_service for end in monitor["spec"]["endpoints"])
    for backend in _backends(manifests):
        assert backend["name"] == service["metadata"]["name"]
        port = backend["port"]
        assert port in of_service.values() or port["name"] in of_service
    (policy,) = of_kind(manifests, "NetworkPolicy")
    assert all(p["port"] in of_pod for rule in policy["spec"]["ingress"] for p in rule["ports"])


def _backends(manifests: tuple[Manifest, ...]) -> Iterator[Any]:
    for ingress in of_kind(manifests, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            yield from (path["backend"]["service"] for path in rule["http"]["paths"])
    for route in of_kind(manifests, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            yield from rule["backendRefs"]


@each
def test_selectors_find_the_pods(example: str) -> None:
    """Of all that selects some; and what scales them names what runs them."""
    manifests = rendered(example)
    labels = pod(manifests)["metadata"]["labels"].items()
    spread = pod(manifests)["spec"]["topologySpreadConstraints"]
    selectors = [one["labelSelector"]["matchLabels"] for one in spread]
    selectors += [one["spec"]["selector"] for one in of_kind(manifests, "Service")]
    selecting = of_kind(manifests, "PodDisruptionBudget", "Deployment", "StatefulSet")
    selectors += [one["spec"]["selector"]["matchLabels"] for one in selecting]
    policies = of_kind(manifests, "NetworkPolicy")
    selectors += [one["spec"]["podSelector"]["matchLabels"] for one in policies]
    assert len(selectors) == 6
    assert all(selector and selector.items() <= labels for selector in selectors)
    (service,) = of_kind(manifests, "Service")
    for one in of_kind(manifests, "ServiceMonitor"):
        wanted = one["spec"]["selector"]["matchLabels"].items()
        assert wanted <= service["metadata"]["labels"].items()
    runs = charts.workload(manifests)
    for one in of_kind(manifests, "ScaledObject", "HorizontalPodAutoscaler"):
        target = one["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) == (runs["kind"], runs["metadata"]["name"])
        assert "replicas" not in runs["spec"]


@each
def test_what_is_mounted_is_there(example: str) -> None:
    """Volumes by their names, ConfigMaps and Secrets of the release, or of the values."""
    manifests = rendered(example)
    spec = pod(manifests)["spec"]
    claims = charts.workload(manifests)["spec"].get("volumeClaimTemplates", [])
    volumes = {one["name"] for one in spec["volumes"]} | {one["metadata"]["name"] for one in claims}
    assert {mount["name"] for mount in container(manifests)["volumeMounts"]} == volumes
    maps = {one["metadata"]["name"] for one in of_kind(manifests, "ConfigMap")}
    assert {one["configMap"]["name"] for one in spec["volumes"] if "configMap" in one} == maps
    values = yaml.safe_load(charts.values_of(example).read_text())
    secrets = {one["metadata"]["name"] for one in of_kind(manifests, "Secret")}
    secrets |= {values["existingSecret"]} if "existingSecret" in values else set()
    assert [one["secretRef"]["name"] for one in container(manifests)["envFrom"]] == [*secrets]


@each
def test_the_pod_may_do_nothing_but_its_work(example: str) -> None:
    """As strict as the unit and the compose file: nobody, nothing to write, no way to the API."""
    spec, ours = pod(rendered(example))["spec"], container(rendered(example))
    assert ours["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    dockerfile = (HELM_FOLDER.parent / "Dockerfile").read_text()
    assert f"--uid {spec['securityContext']['runAsUser']} " in dockerfile
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert {"memory", "ephemeral-storage"} <= ours["resources"]["limits"].keys()
    for account in of_kind(rendered(example), "ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    (policy,) = of_kind(rendered(example), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule["from"] for rule in policy["spec"]["ingress"])
    assert all(rule["to"] and rule["ports"] for rule in policy["spec"]["egress"])


@pytest.mark.parametrize("sets", [(), ("drain.before=30", "drain.seconds=3600")])
def test_the_cluster_waits_for_the_drain(sets: tuple[str, ...]) -> None:
    """And a pod is forgotten by whoever sends calls before it is told to stop."""
    manifests = rendered("minimal", *sets)
    before = int(container(manifests)["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert before > 0
    drain = float(setting(manifests, "VOICE_AGENT_SERVER__DRAIN"))
    needed = before + drain + GOODBYE_WITHIN + DRAINED_WITHIN + FINISH_WITHIN + WITHIN
    assert pod(manifests)["spec"]["terminationGracePeriodSeconds"] >= needed + 1
    liveness = container(manifests)["livenessProbe"]
    assert liveness["periodSeconds"] * liveness["failureThreshold"] > Settings().server.held_limit


def setting(manifests: tuple[Manifest, ...], name: str) -> Any:
    """Return what a variable of the container says."""
    (found,) = [one["value"] for one in container(manifests)["env"] if one["name"] == name]
    return json.loads(found) if re.fullmatch(r"[\d\[].*", found) else found


SECRETS = {
    "VOICE_AGENT_DATABASE": "postgresql://voice_agent:s3cr3t@db.example.com/voice_agent",
    "VOICE_AGENT_SINCH__APPLICATION_KEY": "key",
    "VOICE_AGENT_SINCH__APPLICATION_SECRET": "q3RZ0kVd8m1uYt5gHc7xWA==",
    "VOICE_AGENT_OPERATOR__TOKEN": "3f0c9a6d1be84572a1f4c60d98e7b35c",
}


@each
def test_the_settings_of_the_pod_are_taken(
    example: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every variable is a setting, the file loads, and what the chart says counts."""
    manifests = rendered(example)
    given = {one["name"]: one["value"] for one in container(manifests)["env"]} | SECRETS
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    (text,) = [
        one["data"]["voice-agent.toml"]
        for one in of_kind(manifests, "ConfigMap")
        if "voice-agent.toml" in one["data"]
    ]
    (tmp_path / "voice-agent.toml").write_text(text)
    settings = load(tmp_path / "voice-agent.toml")
    assert settings.sinch.takes_callbacks
    assert settings.sinch.public_url.rstrip("/") == "https://agent.example.com"
    assert settings.database.is_postgresql
    assert settings.server.max_calls == 50
    assert (settings.server.host, settings.server.drain) == ("0.0.0.0", 540)  # noqa: S104
    assert "10.0.0.0/8" in settings.server.trusted_proxies
    values = yaml.safe_load(charts.values_of(example).read_text())
    for section, wanted in tomllib.loads(values.get("config", "")).items():
        assert getattr(settings, section).model_fields_set >= wanted.keys()


def test_agents_are_read_and_read_again(tmp_path: Path) -> None:
    """A ConfigMap is changed by a link to another folder: what is new answers."""
    (agents,) = [
        one["data"]
        for one in of_kind(rendered("production"), "ConfigMap")
        if "reception.md" in one["data"]
    ]
    for name, words in {"..1": "Ann's Bakery", "..2": "Bob's Bakery"}.items():
        (tmp_path / name).mkdir()
        text = agents["reception.md"].replace("Ann's Bakery", words)
        (tmp_path / name / "reception.md").write_text(text)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "reception.md").symlink_to("..data/reception.md")
    files = AgentFiles(tmp_path)
    assert "Ann's Bakery" in files.load("reception").render(NOW).greeting
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert "Bob's Bakery" in files.load("reception").render(NOW).greeting


def _secret_settings(model: type[BaseModel], *above: str) -> Iterator[tuple[str, ...]]:
    """Yield the names of all settings that are secret, those of items included."""
    for name, field in model.model_fields.items():
        kind = Kind(field.annotation)
        if kind.is_secret or name == "database":
            yield (*above, name)
        inner = kind.model or (kind.item.model if kind.is_section else None)
        if inner is not None:
            yield from _secret_settings(inner, *above, name, *(["x"] if kind.model is None else []))


def test_no_secret_becomes_a_config_map(tmp_path: Path) -> None:
    """Each setting that is a secret is refused there, however it is written; others are not."""
    secret = list(_secret_settings(Settings))
    assert ("sinch", "application_secret") in secret
    assert ("console", "users", "x", "password") in secret
    helpers = (CHART / "templates" / "_helpers.tpl").read_text()
    (pattern,) = re.findall("regexMatch `(.+)` .Values.config", helpers)
    for path in secret:
        *sections, name = path
        if name in ("headers", "args", "env"):
            continue  # what is in these is filled in from variables: ${NAME}
        table = f"[{'.'.join(sections)}]\n" if sections else ""
        for line in (f'{table}{name} = "x"', f'{".".join(path)} = "x"'):
            assert re.search(pattern, line), line
    done = _with_config(tmp_path, '[operator]\ntoken = "b5a1d0ce7f4e49d0"')
    assert "config: a secret stands in it" in done.stderr
    assert "b5a1" not in done.stderr
    plain = '# token = 5\n[recording]\npause_key = "#"\n[llm]\noptions = {max_tokens = 5}'
    assert _with_config(tmp_path, plain).returncode == 0


def test_what_stands_in_config_is_nothing_else(tmp_path: Path) -> None:
    """Whatever ends a line in YAML: it stays in the file that is mounted."""
    for end in ("\n", "\r", "\x85", "\u2028", "\n---\n"):
        text = f"# a{end}injected: yes"
        done = _with_config(tmp_path, text)
        (config,) = [
            one for one in yaml.safe_load_all(done.stdout) if one and one["kind"] == "ConfigMap"
        ]
        assert list(config["data"]) == ["voice-agent.toml"]
        assert config["data"]["voice-agent.toml"].partition("\n")[2].split() == text.split()


def _with_config(folder: Path, text: str) -> Any:
    values = folder / "values.yaml"
    values.write_text(yaml.safe_dump({"config": text}))
    files = ("-f", str(charts.values_of("minimal")), "-f", str(values))
    return charts.run("template", "voice", str(CHART), *files)


WRONG = [
    ("publicUrl=http://agent.example.com", "/publicUrl"),
    ("publicUrl=https://agent.example.com/path", "/publicUrl"),
    ("image.repository=", "/image/repository"),
    ("image.tag=latest", "/image/tag"),
    ("replica=3", "replica"),
    ("replicas=0", "/replicas"),
    ("maxCalls=0", "/maxCalls"),
    ("drain.seconds=-1", "/drain/seconds"),
    ("streamPath=stream", "/streamPath"),
    ("ingress.controller=haproxy", "/ingress/controller"),
    ("autoscaling.by=vpa", "/autoscaling/by"),
    ("autoscaling.by=keda,autoscaling.callsPerPod=50", "less than maxCalls"),
    ("autoscaling.by=hpa,autoscaling.min=20", "no more than autoscaling.max"),
    ("gateway.enabled=true", "/gateway/parentRefs"),
    ("ingress.enabled=true,gateway.enabled=true,gateway.parentRefs[0].name=a", "enable one"),
    ("podDisruptionBudget.maxUnavailable=0", "/podDisruptionBudget/maxUnavailable"),
    ("agents.a b=x", "invalid propertyName"),
    ("secrets.A=x", "give one of them"),
    ("existingSecret=", "VOICE_AGENT_DATABASE"),
    ("env.OPENAI_API_KEY=x", "env.OPENAI_API_KEY"),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
def test_a_wrong_value_is_refused_by_its_name(given: str, said: str) -> None:
    """Before anything is in the cluster."""
    done = charts.template("minimal", given)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.parametrize("example", ["production", "keda", "hpa", "gateway"])
def test_what_leads_in_passes_callbacks_streams_and_what_was_asked_for(example: str) -> None:
    """Not the operator's interface, nor metrics; and no call is cut off by a timeout."""
    paths = {Settings().sinch.callback_path, Settings().server.path}
    if example in ("production", "gateway"):  # which want the console
        paths |= {"/", "/console"}
    for ingress in of_kind(rendered(example), "Ingress"):
        (rule,) = ingress["spec"]["rules"]
        assert rule["host"] == "agent.example.com"
        assert {one["path"] for one in rule["http"]["paths"]} == paths
        annotations = ingress["metadata"].get("annotations", {})
        times = [int(value) for name, value in annotations.items() if "timeout" in name]
        assert all(seconds > MAX_SECONDS for seconds in times)
        assert len(times) == 2 * (example == "production")
    for route in of_kind(rendered(example), "HTTPRoute"):
        rules = route["spec"]["rules"]
        found = {
            one["path"]["value"]: rule["timeouts"] for rule in rules for one in rule["matches"]
        }
        assert found.keys() == paths
        assert found[Settings().server.path]["request"] == "0s"


@pytest.mark.parametrize("example", ["keda", "hpa"])
def test_pods_follow_the_calls(example: str) -> None:
    """By the metric of calls in progress; up at once, down slowly, one drain at a time."""
    (scaler,) = of_kind(rendered(example), "ScaledObject", "HorizontalPodAutoscaler")
    spec = scaler["spec"]
    if example == "keda":
        query = spec["triggers"][0]["metadata"]["query"]
        which = f'namespace="{charts.NAMESPACE}",pod=~"voice-voice-agent-.+"'
        assert query == f"sum(voice_agent_calls{{{which}}})"
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    else:
        assert spec["metrics"][0]["pods"]["metric"]["name"] == "voice_agent_calls"
        behavior = spec["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 300
    assert behavior["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]


def test_the_notes_say_commands_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm prints them after an installation."""
    files = ("-f", str(charts.values_of("keda")))
    done = charts.run("install", "voice", str(CHART), *files, "--dry-run=client")
    notes = done.stdout.partition("NOTES:")[2]
    assert "statefulset/voice-voice-agent" in notes
    (command,) = re.findall(r"/opt/voice-agent/bin/voice-agent (.+)", notes)
    assert main([*command.split()[:-1], "/nothing.toml"]) == 1  # it is read, and no such file
    assert "drains for 540 s, and is gone within 575 s" in notes


def test_the_image_can_do_what_the_chart_wants() -> None:
    """PostgreSQL, sealing and buckets are extras; the chart is of the version that it runs."""
    lock = (HELM_FOLDER.parent / "requirements.lock").read_text()
    assert all(re.search(rf"^{one}==", lock, re.MULTILINE) for one in ("asyncpg", "obstore"))
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((HELM_FOLDER.parent.parent / "pyproject.toml").read_text())
    assert chart["appVersion"] == project["project"]["version"]
    assert "--hash=sha256:" in (HELM_FOLDER / "helm.lock").read_text()
