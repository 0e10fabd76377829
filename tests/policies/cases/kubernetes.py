"""Cases of the rules on Kubernetes' own objects."""

from __future__ import annotations

import base64
from typing import Any

from policies.resource_types import SERVICE_ACCOUNT
from policies.rule import Resource
from policies.view import ENCRYPTED, UNKNOWN
from tests.policies.cases.case import Case, bad, ok, resource, unsure

ENFORCE = "pod-security.kubernetes.io/enforce"
POD = "kubernetes:core/v1:Pod"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
FAKE_KEY = "AKIA" + "X" * 16
FAKE_PASSWORD = "not-a-real-password"


def namespace(**labels: Any) -> dict[str, Any]:
    return {"metadata": {"name": "ml-training", "labels": labels}}


def role(*entries: Any) -> dict[str, Any]:
    return {"metadata": {"name": "reader"}, "rules": list(entries)}


def gathers(*selectors: Any) -> dict[str, Any]:
    return {"aggregationRule": {"clusterRoleSelectors": list(selectors)}, "rules": []}


def entry(verbs: Any, resources: Any, names: Any = None, groups: Any = ("",)) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names}


def binding(name: Any, *subjects: tuple[str, Any]) -> dict[str, Any]:
    listed = [{"kind": kind, "name": subject} for kind, subject in subjects]
    return {"roleRef": {"kind": "ClusterRole", "name": name}, "subjects": listed}


def pod(*containers: Any, **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers), **spec}}


def deployment(*containers: Any, **spec: Any) -> dict[str, Any]:
    return {"spec": {"template": pod(*containers, **spec)}}


def cron_job(*containers: Any, **spec: Any) -> dict[str, Any]:
    return {"spec": {"jobTemplate": deployment(*containers, **spec)}}


def env(*variables: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "app", "env": [{"name": name, "value": v} for name, v in variables], **more}


def from_secret(name: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}


def context(**security: Any) -> dict[str, Any]:
    return {"name": "app", "securityContext": security}


def runs(*command: Any) -> dict[str, Any]:
    return {"exec": {"command": list(command)}}


def asks(*headers: tuple[str, Any]) -> dict[str, Any]:
    return {"httpGet": {"httpHeaders": [{"name": name, "value": v} for name, v in headers]}}


def workload(name: str, kind: str = POD, account: Any = "app", **spec: Any) -> Resource:
    body = {"serviceAccountName": account, "containers": [], **spec}
    made = {"template": {"spec": body}} if kind == DEPLOYMENT else body
    return resource(kind, name, metadata={"namespace": "ml"}, spec=made)


def embedding(kind: str, **spec: Any) -> Resource:
    return resource(f"kubernetes:{kind}", "a", metadata={"namespace": "ml"}, spec=spec)


def account(name: Any, **more: Any) -> Resource:
    return resource(
        SERVICE_ACCOUNT, f"sa-{name}", metadata={"namespace": "ml", "name": name}, **more
    )


def token(audience: Any = "vault", seconds: Any = 600) -> dict[str, Any]:
    return {"serviceAccountToken": {"audience": audience, "expirationSeconds": seconds}}


def projected(*sources: Any, name: str = "vault") -> dict[str, Any]:
    return {"name": name, "projected": {"sources": list(sources)}}


NAMED = entry(["get"], ["secrets"], ["mlflow-credentials"])
PODS = entry(["get", "list"], ["pods"])
OFF = {"automountServiceAccountToken": False}

CASES: dict[str, dict[str, Case]] = {
    "namespace-pod-security": {
        "pass": ok(namespace(**{ENFORCE: "restricted"})),
        "fail": bad(namespace(team="ml"), f"no {ENFORCE}"),
        "wildcard": bad(namespace(**{ENFORCE: "*"}), "'*', which is no level"),
        "second-position": bad(namespace(team="ml", **{ENFORCE: "none"}), "'none'"),
        "unknown": unsure({"metadata": {"labels": UNKNOWN}}),
        "not-applicable": ok({"metadata": {"labels": {ENFORCE: "privileged"}}}),
    },
    "secret-reads-are-named": {
        "pass": ok(role(NAMED)),
        "fail": bad(role(entry(["get"], ["secrets"])), "without resourceNames"),
        "wildcard": bad(role(entry(["*"], ["*"], ["a"])), "grants * on *"),
        "second-position": bad(role(NAMED, entry(["get", "list"], ["secrets"], ["a"])), "rules[1]"),
        "unknown": unsure(
            role(entry(UNKNOWN, ["secrets"]), entry(["watch"], ["secrets"])), findings=1
        ),
        "not-applicable": ok(role(entry(["list"], ["configmaps"]), entry(["create"], ["secrets"]))),
        "another API group": ok(role(entry(["*"], ["*"], groups=["batch"]))),
        "unknown entries": unsure({"rules": UNKNOWN}),
    },
    "rbac-no-wildcards": {
        "pass": ok(role(NAMED, PODS)),
        "fail": bad(role(entry(["*"], ["pods"])), "rules[0] has a wildcard in verbs"),
        "wildcard": bad(role(entry(["*"], ["*"], groups=["*"])), "apiGroups, resources, verbs"),
        "second-position": bad(role(PODS, entry(["get"], ["pods", "*/scale"])), "rules[1]"),
        "unknown": unsure(role(entry(["get"], UNKNOWN), entry(["*"], ["pods"])), findings=1),
        "not-applicable": ok(role()),
        "paths": bad(
            role({"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]}), "nonResourceURLs"
        ),
    },
    "rbac-no-escalation": {
        "pass": ok(role(NAMED, PODS)),
        "fail": bad(role(entry(["create"], ["pods/exec"])), "which includes pods/exec"),
        "wildcard": bad(role(entry(["*"], ["*"], groups=["*"])), "grants * on *"),
        "second-position": bad(
            role(PODS, entry(["create"], ["pods", "serviceaccounts/token"])), "rules[1]"
        ),
        "unknown": unsure(
            role(entry(UNKNOWN, ["nodes/proxy"]), entry(["get"], ["nodes/proxy"])), findings=1
        ),
        "not-applicable": ok(role(entry(["create"], ["serviceaccounts/token"], ["trainer"]))),
        "every subresource": bad(role(entry(["create"], ["*/exec"])), "pods/exec"),
        "impersonation": bad(
            role(entry(["impersonate"], ["serviceaccounts"], ["a"])), "serviceaccounts"
        ),
        "another API group": ok(
            role(entry(["create"], ["roles", "pods/exec"], groups=["example.com"]))
        ),
        "binding roles": bad(
            role(entry(["bind"], ["clusterroles"], groups=["rbac.authorization.k8s.io"])),
            "clusterroles",
        ),
        "changing every object on its way": bad(
            role(
                entry(
                    ["create"],
                    ["mutatingadmissionpolicies"],
                    groups=["admissionregistration.k8s.io"],
                )
            ),
            "mutatingadmissionpolicies",
        ),
        "reading roles": ok(role(entry(["get"], ["roles"], groups=["rbac.authorization.k8s.io"]))),
        "binding a named role": ok(
            role(entry(["bind"], ["clusterroles"], ["reader"], ["rbac.authorization.k8s.io"]))
        ),
        "binding the administrator's role by its name": bad(
            role(
                entry(
                    ["bind"],
                    ["clusterroles"],
                    ["reader", "cluster-admin"],
                    ["rbac.authorization.k8s.io"],
                )
            ),
            "clusterroles",
        ),
        "writing more into a named role": bad(
            role(entry(["escalate"], ["clusterroles"], ["own"], ["rbac.authorization.k8s.io"])),
            "clusterroles",
        ),
        "gathering every role": bad(gathers({}), "clusterRoleSelectors[0] gathers"),
        "gathering by expressions": bad(
            gathers({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}), "gathers"
        ),
        "gathering what admin gathers": bad(
            gathers(
                {"matchLabels": {"team": "ml"}},
                {"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}},
            ),
            "clusterRoleSelectors[1] gathers",
        ),
        "gathering one's own": ok(gathers({"matchLabels": {"team": "ml"}})),
    },
    "rbac-no-admin-binding": {
        "pass": ok(binding("reader", ("ServiceAccount", "trainer"))),
        "fail": bad(binding("cluster-admin", ("ServiceAccount", "trainer")), "cluster-admin"),
        "wildcard": bad(binding("reader", ("Group", "*")), "subjects[0] is Group '*'"),
        "second-position": bad(
            binding("reader", ("User", "a"), ("Group", "system:authenticated")), "[1]"
        ),
        "unknown": unsure(binding(UNKNOWN, ("Group", "system:serviceaccounts")), findings=1),
        "not-applicable": ok(binding("reader")),
        "what admin gathers": bad(binding("system:aggregate-to-admin"), "aggregate-to-admin"),
        "a controller's role": bad(binding("system:controller:job-controller"), "job-controller"),
        "a namespace's accounts": bad(
            binding("reader", ("Group", "system:serviceaccounts:ml")), "ml"
        ),
    },
    "pod-no-secret-in-env": {
        "pass": ok(pod(env(("DB_PASSWORD_FILE", "/vault/secrets/db"), ("LOG_LEVEL", "info")))),
        "fail": bad(pod(env(("DB_PASSWORD", FAKE_PASSWORD))), "env[0] (DB_PASSWORD) has the name"),
        "another name": bad(pod(env(("APP_SECRET_KEY", FAKE_PASSWORD))), "(APP_SECRET_KEY) has"),
        "which key of a Secret": ok(pod(env(("secretKey", "password")))),
        "wildcard": bad(pod(env(("API_KEY", "*not-a-real-key*"))), "(API_KEY)"),
        "second-position": bad(
            deployment(env(("A", "b")), env(("A", "b"), ("B", FAKE_KEY))), "containers[1].env[1]"
        ),
        "unknown": unsure(
            pod(env(("A_TOKEN", UNKNOWN), ("TOKEN", FAKE_PASSWORD))), findings=1, evidence="[1]"
        ),
        "not-applicable": ok(
            pod({"env": [from_secret("DB_PASSWORD")]}, env(("TOKEN", "$(VAULT_TOKEN)")))
        ),
        "an argument": bad(
            cron_job(env(args=["--verbose", f"--password={FAKE_PASSWORD}"])), "args[1]"
        ),
        "a command": bad(pod(env(command=["psql", "postgres://u:fake@db/ml"])), "command[1]"),
        "an init container": bad(
            pod(initContainers=[env(("SECRET", FAKE_PASSWORD))]), "initContainers[0]"
        ),
        "an option and its value": bad(pod(env(args=["--password", FAKE_PASSWORD])), "args[1]"),
        "an option without value": ok(pod(env(args=["--token", "--password", "/a/file", "word"]))),
        "an option after an unknown one": unsure(
            pod(env(args=[UNKNOWN, "--password", FAKE_PASSWORD])), findings=1, evidence="args[2]"
        ),
        "a word after another": ok(pod(env(args=["password", FAKE_PASSWORD]))),
        "within a script": bad(
            pod(env(command=["sh", "-c", f"A=1 PGPASSWORD='{FAKE_PASSWORD}' psql"])), "command[2]"
        ),
        "filled in by the shell": ok(
            pod(env(command=["sh", "-c", 'A=1 TOKEN="$(cat /t)" B_TOKEN=`cat /t` C_TOKEN=$T run']))
        ),
        "in an older form of Spark's": bad(
            {"spec": {"driver": {"envVars": {"A": "b", "DB_PASSWORD": FAKE_PASSWORD}}}},
            "spec.driver.envVars.DB_PASSWORD (DB_PASSWORD) has the name",
        ),
        "a script": bad(
            {"spec": {"templates": [{"script": {"source": f"token=read()\nlogin('{FAKE_KEY}')"}}]}},
            "spec.templates[0].script.source has a value",
        ),
        "a probe's command": bad(
            pod(env(), {"livenessProbe": runs("check", "--token", FAKE_PASSWORD)}),
            "containers[1].livenessProbe.exec.command[2] has the name",
        ),
        "probes of every kind": bad(
            pod({"readinessProbe": runs(FAKE_KEY), "startupProbe": runs(FAKE_KEY)}),
            "readinessProbe.exec.command[0] has a value",
            2,
        ),
        "a hook's command": bad(
            pod({"lifecycle": {"preStop": runs("sh", "-c", f"PGPASSWORD={FAKE_PASSWORD} psql")}}),
            "lifecycle.preStop.exec.command[2] has the name",
        ),
        "a header of a hook": bad(
            pod({"lifecycle": {"postStart": asks(("A", "b"), ("X-Api-Key", FAKE_PASSWORD))}}),
            "postStart.httpGet.httpHeaders[1] (X-Api-Key) has the name",
        ),
        "a credential after its scheme": bad(
            pod({"livenessProbe": asks(("Authorization", f"Basic {FAKE_PASSWORD}"))}),
            "httpHeaders[0] (Authorization) has the name",
        ),
        "headers without secrets": ok(
            pod(
                {"livenessProbe": asks(("Accept", "text/plain"), ("Authorization", "Bearer $(T)"))},
                {"lifecycle": {"postStart": runs("sleep", "5")}},
            )
        ),
        "unknown probes and hooks": unsure(
            pod(
                {"livenessProbe": UNKNOWN, "readinessProbe": {"exec": UNKNOWN, "httpGet": UNKNOWN}},
                {"lifecycle": {"preStop": UNKNOWN, "postStart": runs(UNKNOWN, FAKE_KEY)}},
            ),
            unknowns=5,
            findings=1,
            evidence="postStart.exec.command[1]",
        ),
        "a script that reads": ok(
            {"spec": {"templates": [{"script": {"source": "token=read()"}}]}}
        ),
        "behind an unknown container": unsure(
            pod(UNKNOWN, env(("SECRET", FAKE_PASSWORD))), findings=1, evidence="containers[1]"
        ),
    },
    "pod-secrets-are-mounted": {
        "pass": ok(pod(env(("A", "b")))),
        "fail": bad(pod({"env": [from_secret("DB_PASSWORD")]}), "env[0] (DB_PASSWORD) comes from"),
        "wildcard": bad(pod({"envFrom": [{"secretRef": {"name": "*"}}]}), "every key"),
        "second-position": bad(
            cron_job({"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "b"}}]}),
            "envFrom[1]",
        ),
        "unknown": unsure(
            pod({"env": [{"name": "A", "valueFrom": UNKNOWN}, from_secret("B")]}), findings=1
        ),
        "not-applicable": ok(pod({"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]})),
        "in an older form of Spark's": bad(
            {
                "spec": {
                    "executor": {"envSecretKeyRefs": {"DB_PASSWORD": {"name": "s", "key": "k"}}}
                }
            },
            "spec.executor.envSecretKeyRefs.DB_PASSWORD comes from a Secret",
        ),
    },
    "config-map-holds-no-secret": {
        "pass": ok(
            {"data": {"vault_path": "secret/data/ml", "tls.crt": "-----BEGIN CERTIFICATE-----"}}
        ),
        "fail": bad({"data": {"db_password": FAKE_PASSWORD}}, "data.db_password has the name"),
        "wildcard": bad({"data": {"api_key": "*not-a-real-key*"}}, "data.api_key"),
        "second-position": bad(
            {"data": {"a": "b", "app.yaml": f"name: app\n  password: {FAKE_PASSWORD}"}},
            "app.yaml, line 2",
        ),
        "unknown": unsure(
            {"data": {"a": UNKNOWN, "token": FAKE_PASSWORD}}, findings=1, evidence="token"
        ),
        "not-applicable": ok({"binaryData": {"password": "AAAA"}}),
        "a key in a script": bad(
            {"data": {"run.sh": f"set -e\naws s3 ls # {FAKE_KEY}\n"}}, "line 2"
        ),
        "references": ok(
            {"data": {"app.yaml": "password: ${DB_PASSWORD}\ntoken: /var/run/token\n"}}
        ),
        "encrypted": unsure({"data": ENCRYPTED}),
        "JSON on one line": bad(
            {"data": {"a.json": f'{{"db": [{{"user": "u", "password": "{FAKE_PASSWORD}"}}]}}'}},
            "data.a.json, key password, has the name",
        ),
        "JSON without secrets": ok({"data": {"a.json": '{"db": [{"user": "u"}, 7]}'}}),
        "binary data that is text": bad(
            {"binaryData": {"a": base64.b64encode(f"token={FAKE_PASSWORD}".encode()).decode()}},
            "binaryData.a has the name",
        ),
        "binary data that is none": ok({"binaryData": {"token": "/////w=="}}),
    },
    "pod-no-default-token": {
        "the default namespace": ok(
            (
                resource(
                    SERVICE_ACCOUNT, "sa", metadata={"namespace": "default", "name": "app"}, **OFF
                ),
                resource(POD, "a", metadata={}, spec={"serviceAccountName": "app"}),
            )
        ),
        "a namespace that does not say": bad(
            (
                resource(SERVICE_ACCOUNT, "sa", metadata={"namespace": "b", "name": "app"}, **OFF),
                workload("a"),
            ),
            "'app'",
        ),
        "pass": ok((account("app", **OFF), workload("a"))),
        "fail": bad((workload("a"),), "nor on ServiceAccount 'app' here"),
        "wildcard": bad((account("*", **OFF), workload("a")), "'app'"),
        "second-position": bad(
            (account("app", **OFF), workload("a"), workload("b", DEPLOYMENT, "other")), "'other'"
        ),
        "unknown": unsure((account("app", **OFF), workload("a", account=UNKNOWN))),
        "not-applicable": ok((workload("a", automountServiceAccountToken=True),)),
        "the default account": bad((workload("a", account=None),), "'default'"),
        "an account that does not say": bad((account("app"), workload("a")), "'app'"),
        "replicas of a training job": bad(
            (
                account("app", **OFF),
                embedding(
                    "kubeflow.org/v1:PyTorchJob",
                    pytorchReplicaSpecs={
                        "Master": {"template": pod(serviceAccountName="app")},
                        "Worker": {"template": pod()},
                    },
                ),
            ),
            "spec.pytorchReplicaSpecs.Worker.template.spec.automount",
        ),
        "a workflow decides for its steps": bad(
            (
                embedding(
                    "argoproj.io/v1alpha1:Workflow",
                    templates=[{"containerSet": {"containers": [env()]}}, {"container": env()}],
                ),
            ),
            "spec.automountServiceAccountToken is not set",
        ),
        "a server that has a model for containers": bad(
            (
                embedding(
                    "serving.kserve.io/v1beta1:InferenceService",
                    predictor={"model": {}, **OFF},
                    transformer={"model": {}},
                ),
            ),
            "spec.transformer.automount",
        ),
        "an unknown replica": unsure(
            (
                embedding(
                    "ray.io/v1:RayCluster",
                    headGroupSpec={"template": UNKNOWN},
                    workerGroupSpecs=[{"template": pod()}],
                ),
            ),
            findings=1,
            evidence="spec.workerGroupSpecs[0]",
        ),
    },
    "pod-projected-token-is-bound": {
        "pass": ok(pod(volumes=[projected(token())])),
        "fail": bad(pod(volumes=[projected(token(audience=None))]), "audience is not set"),
        "wildcard": bad(pod(volumes=[projected(token(audience="*"))]), "audience is *"),
        "second-position": bad(
            deployment(volumes=[{"name": "a"}, projected({"configMap": {}}, token(seconds=9**9))]),
            "volumes[1]",
        ),
        "unknown": unsure(pod(volumes=[projected(token(UNKNOWN), token(None))]), findings=1),
        "not-applicable": ok(pod(volumes=[projected(token(None), name="kube-api-access-x")])),
        "a long one under the name of the API's own": bad(
            pod(volumes=[projected(token(None, 9**9), name="kube-api-access-x")]), "expiration"
        ),
    },
    "pod-no-host-access": {
        "pass": ok(pod(context(capabilities={"drop": ["ALL"]}))),
        "fail": bad(pod(context(privileged=True)), "privileged is true"),
        "wildcard": bad(pod(context(capabilities={"add": ["ALL"]})), "add[0] is ALL"),
        "second-position": bad(
            deployment(context(), context(capabilities={"add": ["CHOWN", "SYS_ADMIN"]})), "add[1]"
        ),
        "unknown": unsure(
            pod(hostNetwork=UNKNOWN, volumes=[{"hostPath": {"path": "/"}}]), findings=1
        ),
        "not-applicable": ok(
            pod(context(privileged=False), volumes=[{"emptyDir": {}}], hostPID=False)
        ),
        "the node's processes": bad(cron_job(hostPID=True), "hostPID is true"),
        "a debugging container": bad(
            pod(ephemeralContainers=[context(privileged=True)]), "ephemeral"
        ),
        "a process of a Windows node": bad(
            pod(
                context(windowsOptions={"hostProcess": True}),
                securityContext={"windowsOptions": {"hostProcess": True}},
            ),
            "securityContext.windowsOptions.hostProcess is true",
            2,
        ),
        "a capability of the baseline": ok(
            pod(context(capabilities={"add": ["CAP_NET_BIND_SERVICE"]}))
        ),
    },
}
