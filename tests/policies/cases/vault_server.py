"""Cases of the rules on Vault's own server and on its address."""

from __future__ import annotations

from typing import Any

from policies.view import UNKNOWN
from tests.policies.cases.case import Case, bad, ok, unsure

LISTENER = 'listener "tcp" {{\n  address = "[::]:8200"\n  {}\n}}\n'
STORAGE = 'storage "raft" {\n  path = "/vault/data"\n}\n'
SEAL = 'seal "awskms" {\n  kms_key_id = "alias/vault"\n}\n'
APART = {
    "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "h"}]}
}


def server(*parts: str, listener: str = 'tls_cert_file = "/tls.crt"') -> str:
    return "\n".join([LISTENER.format(listener), *parts])


def file(*parts: str, listener: str = 'tls_cert_file = "/tls.crt"') -> dict[str, Any]:
    return {"config": server(*parts, listener=listener)}


def chart(config: Any, **more: Any) -> dict[str, Any]:
    return {"values": {"server": {"ha": {"raft": {"enabled": True, "config": config}}}, **more}}


def release(replicas: Any, **server_values: Any) -> dict[str, Any]:
    ha = {"replicas": replicas, "raft": {"enabled": True}}
    return {"values": {"server": {"ha": ha, **server_values}}}


def stateful_set(replicas: Any, affinity: Any = APART, name: str = "vault") -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "component": "server"}
    template = {"metadata": {"labels": labels}, "spec": {"affinity": affinity}}
    return {"spec": {"replicas": replicas, "template": template}}


def pod(*variables: tuple[str, Any], **annotations: Any) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in variables]
    return {
        "metadata": {
            "annotations": {f"vault.hashicorp.com/{k}": v for k, v in annotations.items()}
        },
        "spec": {"containers": [{"name": "app", "env": env}]},
    }


TLS_OFF = {"tls_disable": True}

CASES: dict[str, dict[str, Case]] = {
    "vault-listener-tls": {
        "pass": ok(file(STORAGE)),
        "fail": bad(file(STORAGE, listener="tls_disable = 1"), "has tls_disable"),
        "wildcard": bad({"values": {"global": {"tlsDisable": "true"}}}, "tlsDisable is true"),
        "second-position": bad(file(LISTENER.format('tls_min_version = "tls11"')), "accepts tls11"),
        "unknown": unsure(chart(UNKNOWN)),
        "not-applicable": ok({"data": {"notes.txt": "listener tls_disable = true"}}),
        "a ConfigMap": bad(
            {"data": {"server.hcl": server(listener='tls_disable = "true"')}}, "data.server.hcl"
        ),
        "another kind of listener": ok(
            {"config": 'listener "unix" {\n  tls_disable = true\n}\n' + STORAGE}
        ),
        "unreadable": unsure({"config": "listener {"}),
        "in a word of the parser": bad(file(listener='tls_disable = "t"'), "tls_disable"),
        "in capitals": bad(
            {"config": 'Listener "TCP" {\n  TLS_Disable = 1\n}\nLISTENER "tcp" {\n}\n'},
            "tls_disable",
        ),
        "two listeners under one key of JSON": bad(
            {
                "config": '{"listener": {"tcp": {"tls_disable": 1}},'
                ' "listener": {"tcp": {"address": "a"}}}'
            },
            "tls_disable",
        ),
        "after a tab": bad({"config": 'listener\t"tcp" {\n  tls_disable = 1\n}\n'}, "tls_disable"),
        "in JSON": bad(
            {"data": {"vault.json": '{"listener": [{"tcp": {"tls_disable": true}}]}'}}, "vault.json"
        ),
        "in JSON that is none": unsure({"config": '{"listener": '}),
        "JSON of another program": ok({"data": {"a.json": '{"storage": {"disk": {"size": 1}}}'}}),
        "in values as a mapping": bad(
            {"values": {"server": {"ha": {"config": {"listener": {"tcp": [TLS_OFF, TLS_OFF]}}}}}},
            "ha.config.listener.tcp[0]: a listener has tls_disable",
            2,
        ),
        "the chart's default": bad({"chart": "hashicorp/vault", "values": {}}, "which means true"),
        "the chart with TLS": ok(
            {"chart": "vault", "values": {"global": {"tlsDisable": False}}},
        ),
    },
    "vault-raft-is-redundant": {
        "another component of Vault": ok(
            {
                "spec": {
                    "replicas": 1,
                    "template": {"metadata": {"labels": {"app.kubernetes.io/name": "vault"}}},
                }
            }
        ),
        "no number": bad(stateful_set(None), "spec.replicas is not set"),
        "pass": ok(stateful_set(3)),
        "fail": bad(stateful_set(1), "spec.replicas is 1"),
        "wildcard": bad(release("*"), "replicas is *"),
        "second-position": bad(
            stateful_set(5, affinity={"podAntiAffinity": {}}), "machines of their own"
        ),
        "unknown": unsure(stateful_set(UNKNOWN, affinity=None), findings=1, evidence="affinity"),
        "not-applicable": ok(stateful_set(1, affinity=None, name="database")),
        "an even number in the chart": bad(release(4), "values.server.ha.replicas is 4"),
        "affinity switched off in the chart": bad(
            release(3, affinity=""), "values.server.affinity"
        ),
        "affinity as text": ok(
            release(
                3, affinity="podAntiAffinity:\n  requiredDuringSchedulingIgnoredDuringExecution: []"
            )
        ),
        "the chart's own affinity": ok(release(3)),
        "another chart": ok({"values": {"server": {"affinity": ""}}}),
    },
    "vault-seal-is-automatic": {
        "pass": ok(file(STORAGE, SEAL)),
        "fail": bad(file(STORAGE), "has no seal stanza"),
        "wildcard": bad(file(STORAGE, 'seal "shamir" {\n  shares = "*"\n}\n'), "no seal stanza"),
        "second-position": bad(
            file(
                STORAGE,
                'seal "transit" {\n  address = "https://v"\n  token = "not-a-real-one"\n}\n',
            ),
            'seal "transit" holds token',
        ),
        "unknown": unsure(chart(UNKNOWN)),
        "not-applicable": ok(file()),
        "a seal that is switched off": bad(
            file(STORAGE, SEAL.replace("{", "{\n  disabled = true")), "has no seal stanza"
        ),
        "a credential in the first of two": bad(
            file(STORAGE, SEAL.replace("{", '{\n  secret_key = "not-a-real-one"'), SEAL),
            'seal "awskms" holds secret_key',
        ),
    },
    "vault-config-has-no-raw-endpoint": {
        "pass": ok(file(STORAGE, "raw_storage_endpoint = false\n")),
        "fail": bad(file(STORAGE, "raw_storage_endpoint = true\n"), "sets raw_storage_endpoint"),
        "wildcard": bad(file(STORAGE, "unsafe_allow_api_audit_creation = true\n"), "unsafe_allow"),
        "second-position": bad(
            file(listener="telemetry {\n    unauthenticated_metrics_access = true\n  }"),
            "unauthenticated_metrics_access",
        ),
        "unknown": unsure(chart(UNKNOWN)),
        "not-applicable": ok({"data": {"a.hcl": "raw_storage_endpoint = true"}}),
        "requests in flight": bad(
            file(
                listener="inflight_requests_logging {\n"
                "    unauthenticated_in_flight_requests_access = true\n  }"
            ),
            "unauthenticated_in_flight_requests_access",
        ),
    },
    "vault-address-is-https": {
        "pass": ok(pod(("VAULT_ADDR", "https://vault:8200"))),
        "fail": bad(pod(("VAULT_ADDR", "http://vault:8200")), "env[0].value is 'http://vault"),
        "wildcard": bad(pod(service="http://*"), "service is 'http://*'"),
        "second-position": bad(pod(("A", "b"), ("VAULT_SKIP_VERIFY", "true")), "env[1].value"),
        "unknown": unsure(
            pod(("VAULT_ADDR", UNKNOWN), ("VAULT_SKIP_VERIFY", "1")), findings=1, evidence="env[1]"
        ),
        "not-applicable": ok(pod(("VAULT_ADDR", "http://127.0.0.1:8200"), ("SITE", "http://a"))),
        "a store": bad(
            {"spec": {"provider": {"vault": {"server": "http://vault:8200"}}}}, "vault.server"
        ),
        "a provider": bad({"address": "https://v", "skipTlsVerify": "true"}, "skipTlsVerify"),
        "a provider in clear": bad({"address": "http://vault.example.com"}, "address is"),
        "an agent": bad(pod(**{"tls-skip-verify": "true"}), "tls-skip-verify"),
        "with a password, which is not told": bad(
            pod(("VAULT_ADDR", "http://user:fake@vault")), "value is 'http://vault'"
        ),
        "in capitals": bad(pod(("VAULT_ADDR", "HTTP://vault:8200")), "env[0].value"),
        "a stranger who begins like the own machine": bad(
            pod(("VAULT_ADDR", "http://localhost.example.com"), ("VAULT_ADDR", "http://[::1]@v")),
            "env[0].value",
            2,
        ),
        "an agent of a CronJob": bad(
            {"spec": {"jobTemplate": {"spec": {"template": pod(service="http://vault")}}}},
            "jobTemplate.spec.template.metadata",
        ),
    },
}
