"""The Helm chart as Helm renders it, and what its custom resources may have."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

HELM_FOLDER = Path(__file__).parent.parent / "deploy" / "helm"
CHART = HELM_FOLDER / "voice-agent"
EXAMPLES = sorted(path.stem for path in (HELM_FOLDER / "examples").glob("*.yaml"))

NAMESPACE = "phones"
WANTED = "Helm is not installed (.venv/bin/python deploy/helm/get_helm.py)"

Manifest = dict[str, Any]


def helm() -> str | None:
    """Return the path of Helm: beside this Python, where CI puts it, or of this machine."""
    beside = Path(sys.executable).parent / "helm"
    return str(beside) if beside.exists() else shutil.which("helm")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Helm; whoever asks looks at its status."""
    program = helm()
    assert program is not None, WANTED
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def values_of(example: str) -> Path:
    return HELM_FOLDER / "examples" / f"{example}.yaml"


def template(example: str, *sets: str) -> subprocess.CompletedProcess[str]:
    """Render an example, with values of ``NAME=VALUE`` over its own."""
    given = [part for one in sets for part in ("--set", one)]
    files = ["-f", str(values_of(example))]
    return run("template", "voice", str(CHART), *files, *given, "--namespace", NAMESPACE)


@cache
def rendered(example: str, *sets: str) -> tuple[Manifest, ...]:
    """Return the manifests of an example. They are kept: change none."""
    done = template(example, *sets)
    assert done.returncode == 0, done.stderr
    return tuple(one for one in yaml.safe_load_all(done.stdout) if one)


def of_kind(manifests: tuple[Manifest, ...], *kinds: str) -> list[Manifest]:
    return [one for one in manifests if one["kind"] in kinds]


def workload(manifests: tuple[Manifest, ...]) -> Manifest:
    """Return what runs the pods."""
    (found,) = of_kind(manifests, "Deployment", "StatefulSet")
    return found


def pod(manifests: tuple[Manifest, ...]) -> Manifest:
    found: Manifest = workload(manifests)["spec"]["template"]
    return found


def container(manifests: tuple[Manifest, ...]) -> Manifest:
    (found,) = pod(manifests)["spec"]["containers"]
    return dict(found)


def _object(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": required | more,
    }


TEXT, COUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}
LABELS = {"type": "object", "additionalProperties": TEXT}
META = _object({"name": TEXT, "labels": LABELS}, annotations=LABELS)
DURATION = {"type": "string", "pattern": r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": item}


def _custom(api: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return _object(
        {"apiVersion": {"const": api}, "kind": {"const": kind}, "metadata": META, "spec": spec}
    )


_POLICIES = _list(
    _object({"type": {"enum": ["Pods", "Percent"]}, "value": COUNT, "periodSeconds": COUNT})
)
_SCALING = _object(
    {"stabilizationWindowSeconds": {"type": "integer", "maximum": 3600}, "policies": _POLICIES},
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
)
_PATH = _object({"type": {"enum": ["Exact", "PathPrefix"]}, "value": TEXT})

CUSTOM = {
    # keda.sh, ScaledObject: https://keda.sh/docs/latest/reference/scaledobject-spec/
    "ScaledObject": _custom(
        "keda.sh/v1alpha1",
        "ScaledObject",
        _object(
            {
                "scaleTargetRef": _object({"apiVersion": TEXT, "kind": TEXT, "name": TEXT}),
                "minReplicaCount": COUNT,
                "maxReplicaCount": COUNT,
                "pollingInterval": COUNT,
                "fallback": _object(
                    {
                        "failureThreshold": COUNT,
                        "replicas": COUNT,
                        "behavior": {"const": "currentReplicasIfHigher"},
                    }
                ),
                "advanced": _object(
                    {
                        "horizontalPodAutoscalerConfig": _object(
                            {"behavior": _object({"scaleUp": _SCALING, "scaleDown": _SCALING})}
                        )
                    }
                ),
                "triggers": _list(
                    _object(
                        {
                            "type": {"const": "prometheus"},
                            "metricType": {"const": "AverageValue"},
                            "metadata": _object(
                                {
                                    "serverAddress": TEXT,
                                    "query": TEXT,
                                    "threshold": TEXT,
                                    "ignoreNullValues": {"enum": ["true", "false"]},
                                }
                            ),
                        },
                        authenticationRef=_object({"name": TEXT}),
                    )
                ),
            }
        ),
    ),
    # monitoring.coreos.com, ServiceMonitor, of the Prometheus operator
    "ServiceMonitor": _custom(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        _object(
            {
                "selector": _object({"matchLabels": LABELS}),
                "endpoints": _list(_object({"port": TEXT, "path": TEXT, "interval": DURATION})),
            }
        ),
    ),
    # gateway.networking.k8s.io, HTTPRoute: https://gateway-api.sigs.k8s.io/reference/spec/
    "HTTPRoute": _custom(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        _object(
            {
                "parentRefs": _list(_object({"name": TEXT}, namespace=TEXT, sectionName=TEXT)),
                "hostnames": _list(TEXT),
                "rules": _list(
                    _object(
                        {
                            "matches": _list(_object({"path": _PATH})),
                            "backendRefs": _list(_object({"name": TEXT, "port": COUNT})),
                            "timeouts": _object({"request": DURATION}, backendRequest=DURATION),
                        }
                    )
                ),
            }
        ),
    ),
}
"""What we use of resources that are not Kubernetes' own, as their documents have it: an excerpt."""
