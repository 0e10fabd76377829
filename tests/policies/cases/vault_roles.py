"""Cases of the rules on Vault's auth roles."""

from __future__ import annotations

from typing import Any

from policies.view import ENCRYPTED, UNKNOWN
from tests.policies.cases.case import Case, bad, ok, unsure

DAY = 24 * 3600


def accounts(names: Any, namespaces: Any, **more: Any) -> dict[str, Any]:
    return {
        "boundServiceAccountNames": names,
        "boundServiceAccountNamespaces": namespaces,
        **more,
    }


def lifetime(ttl: Any = 3600, longest: Any = DAY, **more: Any) -> dict[str, Any]:
    return {"tokenTtl": ttl, "tokenMaxTtl": longest, **more}


def token(**properties: Any) -> dict[str, Any]:
    return {"ttl": "30m", "explicitMaxTtl": "24h", "policies": ["trainer"], **properties}


def secret_id(uses: Any = 1, ttl: Any = 600, **more: Any) -> dict[str, Any]:
    return {"secretIdNumUses": uses, "secretIdTtl": ttl, **more}


def networks(secret: Any, token: Any) -> dict[str, Any]:
    return {"secretIdBoundCidrs": secret, "tokenBoundCidrs": token}


CASES: dict[str, dict[str, Case]] = {
    "vault-role-bound-accounts": {
        "pass": ok(accounts(["trainer"], ["ml-training"])),
        "fail": bad(accounts(["trainer"], ["*"]), "boundServiceAccountNamespaces[0] is '*'"),
        "wildcard": bad(accounts(["*"], ["*"]), "boundServiceAccountNames[0] is '*'", 2),
        "second-position": bad(accounts(["trainer", "ml-*"], ["ml"]), "Names[1] is 'ml-*'"),
        "unknown": unsure(accounts(UNKNOWN, ["*"]), findings=1, evidence="Namespaces[0]"),
        "not-applicable": ok({"boundServiceAccountNames": ["trainer"]}),
        "chosen by label": bad(
            accounts(["a"], [], boundServiceAccountNamespaceSelector="{}"), "by their labels"
        ),
        "an unknown first entry": unsure(
            accounts([UNKNOWN, "*"], ["a"]), findings=1, evidence="[1]"
        ),
    },
    "vault-role-jwt-is-bound": {
        "pass": ok({"boundSubject": "repo:ours:ref:main"}),
        "fail": bad({"boundClaims": {"iss": "https://ci.example.com"}}, "says who may log in"),
        "wildcard": bad(
            {"boundClaims": {"project_path": "*"}, "boundClaimsType": "glob"}, "project_path is '*'"
        ),
        "second-position": bad(
            {"boundClaims": {"project_path": "ours/a,*"}, "boundClaimsType": "glob"}, "ours/a,*"
        ),
        "unknown": unsure({"boundClaims": UNKNOWN}),
        "not-applicable": ok(
            {"boundClaims": {"project_path": "ours/*"}, "boundClaimsType": "glob"}
        ),
        "an empty claim": bad(
            {"boundClaims": {"project_path": ""}, "boundClaimsType": "glob"}, "project_path is ''"
        ),
        "claims that every project can have": bad(
            {"boundClaims": {"ref": "main", "ref_protected": "true", "workflow": "ci"}},
            "says who may log in",
        ),
        "a list of a claim's values": bad(
            {"boundClaims": {"project_path": ["ours/a", "*"]}, "boundClaimsType": "glob"},
            "project_path is",
        ),
        "a star that is no glob": ok({"boundClaims": {"project_path": "*"}}),
    },
    "vault-role-audience": {
        "pass": ok({"audience": "vault"}),
        "fail": bad({}, "audience is not set"),
        "wildcard": bad({"audience": "*"}, "audience is '*'"),
        "second-position": bad(
            {"roleType": "jwt", "boundAudiences": ["vault", "https://*"]},
            "boundAudiences is 'https",
        ),
        "unknown": unsure({"audience": UNKNOWN}),
        "not-applicable": ok({"userClaim": "sub", "boundAudiences": ["vault"]}),
        "a JWT role without": bad({"userClaim": "sub"}, "boundAudiences is not set"),
    },
    "vault-role-no-root-policy": {
        "pass": ok({"tokenPolicies": ["trainer"]}),
        "fail": bad({"tokenPolicies": ["root"]}, "tokenPolicies[0] is 'root'"),
        "wildcard": bad({"allowedPoliciesGlobs": ["*"]}, "allowedPoliciesGlobs[0] is '*'"),
        "second-position": bad({"policies": ["trainer", "root"]}, "policies[1] is 'root'"),
        "as Vault reads it": bad({"tokenPolicies": ["Root", "root "]}, "[0] is 'root'", 2),
        "unknown": unsure({"tokenPolicies": UNKNOWN, "policies": ["root"]}, findings=1),
        "not-applicable": ok({"tokenPolicies": []}),
    },
    "vault-role-no-default-policy": {
        "pass": ok({"tokenNoDefaultPolicy": True, "tokenPolicies": ["trainer"]}),
        "fail": bad({"tokenPolicies": ["trainer"]}, "tokenNoDefaultPolicy is not set"),
        "wildcard": bad({"tokenNoDefaultPolicy": "*"}, "tokenNoDefaultPolicy is *"),
        "second-position": bad(
            {"tokenNoDefaultPolicy": True, "tokenPolicies": ["a", "default"]}, "tokenPolicies[1]"
        ),
        "unknown": unsure({"tokenNoDefaultPolicy": UNKNOWN}),
        "as Vault reads it": bad(
            {"tokenNoDefaultPolicy": True, "tokenPolicies": [" Default"]}, "is 'default'"
        ),
        "not-applicable": ok({"tokenNoDefaultPolicy": "true"}),
        "a token": ok({"noDefaultPolicy": True, "policies": ["trainer"]}),
        "a token that names it": bad(
            {"noDefaultPolicy": True, "policies": ["trainer", "default"]}, "policies[1]"
        ),
    },
    "vault-role-token-lifetime": {
        "long batch tokens": bad({"tokenType": "batch", "tokenTtl": 7200}, "tokenTtl is 7200 s"),
        "pass": ok(lifetime()),
        "fail": bad(lifetime(ttl=2 * 3600), "tokenTtl is 7200 s"),
        "wildcard": bad(lifetime(longest="*"), "tokenMaxTtl is not set"),
        "second-position": bad(lifetime(longest=2 * DAY), "tokenMaxTtl is 172800 s"),
        "unknown": unsure(lifetime(ttl=UNKNOWN, longest=0), findings=1, evidence="tokenMaxTtl"),
        "not-applicable": ok({"tokenType": "batch", "tokenTtl": 60}),
        "nothing set": bad({}, "which means 32 days", 2),
        "a period": bad(lifetime(tokenPeriod=60), "renewed for ever"),
    },
    "vault-token-is-bound": {
        "pass": ok(token()),
        "fail": bad(token(ttl=None), "ttl is not set"),
        "wildcard": unsure(
            token(ttl="*", explicitMaxTtl="768h"), findings=1, evidence="explicitMaxTtl is 2764800"
        ),
        "second-position": bad(token(explicitMaxTtl="7d"), "explicitMaxTtl is 604800 s"),
        "unknown": unsure(token(ttl=UNKNOWN, period="1h"), findings=1, evidence="period is 3600"),
        "not-applicable": ok(token(ttl="3600", noParent=True, roleName="ci", policies=[])),
        "what its maker has": bad(token(policies=[]), "policies is not set"),
        "for a day at once": bad(token(ttl=DAY), "ttl is 86400 s"),
    },
    "vault-token-role-is-bound": {
        "pass": ok({"tokenExplicitMaxTtl": DAY, "allowedPolicies": ["a"]}),
        "fail": bad(lifetime(), "tokenExplicitMaxTtl is not set"),
        "wildcard": bad({"tokenExplicitMaxTtl": "*"}, "tokenExplicitMaxTtl is not set"),
        "second-position": bad(
            {"tokenExplicitMaxTtl": 60, "disallowedPoliciesGlobs": ["admin-*"]}, "every other one"
        ),
        "unknown": unsure(
            {"tokenExplicitMaxTtl": UNKNOWN, "disallowedPolicies": ["admin"]}, findings=1
        ),
        "not-applicable": ok(
            {
                "tokenType": "service",
                "tokenExplicitMaxTtl": 60,
                "allowedPoliciesGlobs": ["ci-*"],
                "disallowedPolicies": ["ci-admin"],
            }
        ),
        "too long": bad({"tokenExplicitMaxTtl": 2 * DAY}, "is 172800 s"),
        "a batch token": bad({"tokenType": "batch", "tokenExplicitMaxTtl": 60}, "is batch"),
    },
    "vault-role-alias-by-uid": {
        "pass": ok({"aliasNameSource": "serviceaccount_uid"}),
        "fail": bad({"aliasNameSource": "serviceaccount_name"}, "'serviceaccount_name'"),
        "wildcard": bad({"aliasNameSource": "*"}, "'*'"),
        "second-position": bad(
            {"audience": "vault", "aliasNameSource": "serviceaccount_name"}, "serviceaccount_name"
        ),
        "unknown": unsure({"aliasNameSource": UNKNOWN}),
        "not-applicable": ok({}),
    },
    "vault-approle-secret-id-limits": {
        "pass": ok(secret_id()),
        "fail": bad(secret_id(uses=0), "secretIdNumUses is unlimited"),
        "wildcard": bad(secret_id(uses="*"), "secretIdNumUses is unlimited"),
        "second-position": bad(secret_id(ttl=8 * DAY), "secretIdTtl is 691200"),
        "unknown": unsure(secret_id(uses=UNKNOWN, ttl=0), findings=1, evidence="secretIdTtl"),
        "not-applicable": ok(secret_id(uses=10, ttl=DAY, bindSecretId=True)),
        "no secret id": bad({"bindSecretId": False}, "the role id alone"),
    },
    "vault-approle-is-bound-to-networks": {
        "pass": ok(networks(["10.0.0.0/8"], ["10.1.2.3/32"])),
        "fail": bad(networks([], ["10.0.0.0/8"]), "secretIdBoundCidrs is empty"),
        "wildcard": bad(networks(["0.0.0.0/0"], ["10.0.0.0/8"]), "is 0.0.0.0/0"),
        "second-position": bad(
            networks(["10.0.0.0/8"], ["10.0.0.1", "::/0"]), "tokenBoundCidrs[1] is ::/0"
        ),
        "unknown": unsure(networks(UNKNOWN, []), findings=1, evidence="tokenBoundCidrs"),
        "not-applicable": ok(networks(["2001:db8::/32"], ["10.0.0.0/8"])),
        "no network": bad(networks(["office"], ["10.0.0.0/8"]), "which is no network"),
        "halves": bad(
            networks(["0.0.0.0/1", "128.0.0.0/1"], ["10.0.0.0/8"]), "[0] is 0.0.0.0/1", 2
        ),
        "in parts, beside what is not known": unsure(
            networks(["10.0.0.0/8"], ["10.0.0.0/8", UNKNOWN, "::/16", "11.0.0.0/8"]),
            findings=1,
            evidence="tokenBoundCidrs holds all of 10.0.0.0/7 in parts",
        ),
        "in parts of IPv6": bad(networks(["10.0.0.0/8"], ["2a00::/16", "2a01::/16"]), "2a00::/15"),
        "all of IPv4 in the form of IPv6": bad(
            networks(["::ffff:0.0.0.0/96"], ["::ffff:10.1.2.3", "10.0.0.0/8"]),
            "secretIdBoundCidrs[0] is",
        ),
    },
    "vault-auth-no-stored-reviewer": {
        "pass": ok({"kubernetesHost": "https://kubernetes.default.svc"}),
        "fail": bad({"tokenReviewerJwt": "fake-jwt"}, "tokenReviewerJwt is set"),
        "wildcard": bad({"tokenReviewerJwt": "*"}, "tokenReviewerJwt is set"),
        "second-position": bad({"tokenReviewerJwtWo": ENCRYPTED}, "tokenReviewerJwtWo is set"),
        "unknown": unsure({"tokenReviewerJwt": UNKNOWN}),
        "not-applicable": ok({"disableLocalCaJwt": False}),
        "own token off": bad({"disableLocalCaJwt": True}, "disableLocalCaJwt is true"),
    },
}
