#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""kubernetes_check.py LOADER DAEMONSET.YAML UNIT: are the fields of the manifests the ones that Kubernetes has, of the right
type, do they refer to each other, does the loader take the configuration in there, and are the capabilities the unit's? The
fields are those of the API reference (apps/v1, v1) as far as they are used here: a new one has to be added below. Prints
what is wrong, a line each."""
import subprocess
import sys
import tempfile

import yaml

TEXT, NUMBER, FLAG = str, int, bool
TEXTS, MAP = [str], {str: str}
METADATA = {"name": TEXT, "namespace": TEXT, "labels": MAP}
PROBE = {"exec": {"command": TEXTS}, "initialDelaySeconds": NUMBER, "periodSeconds": NUMBER, "timeoutSeconds": NUMBER}
SECURITY = {
    "privileged": FLAG, "allowPrivilegeEscalation": FLAG, "readOnlyRootFilesystem": FLAG, "runAsUser": NUMBER,
    "capabilities": {"add": TEXTS, "drop": TEXTS}, "seccompProfile": {"type": TEXT},
}
CONTAINER = {
    "name": TEXT, "image": TEXT, "imagePullPolicy": TEXT, "args": TEXTS, "securityContext": SECURITY,
    "readinessProbe": PROBE, "livenessProbe": PROBE, "resources": {"requests": MAP, "limits": MAP},
    "volumeMounts": [{"name": TEXT, "mountPath": TEXT, "readOnly": FLAG}],
}
POD = {
    "hostNetwork": FLAG, "dnsPolicy": TEXT, "automountServiceAccountToken": FLAG, "terminationGracePeriodSeconds": NUMBER,
    "nodeSelector": MAP, "containers": [CONTAINER],
    "volumes": [{"name": TEXT, "configMap": {"name": TEXT}, "hostPath": {"path": TEXT, "type": TEXT}}],
}
KINDS = {
    ("v1", "Namespace"): {"metadata": METADATA},
    ("v1", "ConfigMap"): {"metadata": METADATA, "data": MAP},
    ("apps/v1", "DaemonSet"): {
        "metadata": METADATA,
        "spec": {
            "selector": {"matchLabels": MAP},
            "updateStrategy": {"type": TEXT, "rollingUpdate": {"maxUnavailable": NUMBER}},
            "template": {"metadata": METADATA, "spec": POD},
        },
    },
}


def check_shape(value, shape, where):
    if isinstance(shape, type):
        if type(value) is not shape:
            yield f"{where}: {value!r} is no {shape.__name__}"
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{where}: is no list"
            return
        for index, one in enumerate(value):
            yield from check_shape(one, shape[0], f"{where}[{index}]")
    elif not isinstance(value, dict):
        yield f"{where}: is no map"
    elif str in shape:
        for key, one in value.items():
            yield from check_shape(one, shape[str], f"{where}.{key}")
    else:
        for key, one in value.items():
            if key not in shape:
                yield f"{where}.{key}: no such field"
            else:
                yield from check_shape(one, shape[key], f"{where}.{key}")


def by_kind(documents):
    found = {}
    for document in documents:
        kind = (document.pop("apiVersion", None), document.pop("kind", None))
        if kind not in KINDS:
            yield f"{kind}: is not known here"
            continue
        yield from check_shape(document, KINDS[kind], kind[1])
        found[kind[1]] = document
    yield found


def check_references(found):
    spec = found["DaemonSet"]["spec"]
    pod, container = spec["template"]["spec"], spec["template"]["spec"]["containers"][0]
    space = found["Namespace"]["metadata"]["name"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    if spec["selector"]["matchLabels"] != spec["template"]["metadata"]["labels"]:
        yield "the selector does not find the pods"
    for kind in ("ConfigMap", "DaemonSet"):
        if found[kind]["metadata"]["namespace"] != space:
            yield f"{kind}: is in another namespace"
    for mount in container["volumeMounts"]:
        if mount["name"] not in volumes:
            yield f"{mount['name']}: no such volume"
    if volumes["config"]["configMap"]["name"] != found["ConfigMap"]["metadata"]["name"]:
        yield "the volume is of another ConfigMap"


def check_rights(container, unit):
    security = container["securityContext"]
    with open(unit, encoding="ascii") as file:
        bounding = [line.split("=")[1] for line in file if line.startswith("CapabilityBoundingSet=")]
    caps = {cap.removeprefix("CAP_") for cap in bounding[0].split()}
    if set(security["capabilities"]["add"]) != caps or security["capabilities"]["drop"] != ["ALL"]:
        yield f"the capabilities are not the unit's: {sorted(caps)}"
    if security["privileged"] or security["allowPrivilegeEscalation"]:
        yield "it is privileged"


def check_loader(loader, container, files):
    """The arguments as they are, with the file of the ConfigMap where its volume is mounted."""
    mount = next(one["mountPath"] for one in container["volumeMounts"] if one["name"] == "config")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        args = [arg.replace(mount, folder) for arg in container["args"]]
        done = subprocess.run([loader, "--print-config", *args], capture_output=True, text=True, check=False)
        if done.returncode or folder not in args[0]:
            yield f"the loader does not take {args}: {done.stderr.strip()}"


def main(loader, path, unit):
    with open(path, encoding="ascii") as file:
        *wrong, found = by_kind(yaml.safe_load_all(file))
    container = found["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]
    wrong += check_references(found)
    wrong += check_rights(container, unit)
    wrong += check_loader(loader, container, found["ConfigMap"]["data"])
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return bool(wrong)


sys.exit(main(*sys.argv[1:]))
