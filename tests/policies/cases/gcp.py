"""Cases of the rules on Google Cloud."""

from __future__ import annotations

import json
from typing import Any

from policies.view import UNKNOWN
from tests.policies.cases.case import Case, bad, ok, unsure

USER = "roles/iam.workloadIdentityUser"
TRAINER = "serviceAccount:example.svc.id.goog[ml-training/trainer]"
POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*"
READER = "serviceAccount:trainer@example.iam.gserviceaccount.com"


def members(*names: Any, role: str = USER) -> dict[str, Any]:
    return {"role": role, "members": list(names)}


def document(*bindings: dict[str, Any]) -> dict[str, Any]:
    return {"policyData": json.dumps({"bindings": list(bindings)})}


CASES: dict[str, dict[str, Case]] = {
    "gcp-kms-key-rotates": {
        "pass": ok({"rotationPeriod": "7776000s"}),
        "fail": bad({}, "rotationPeriod is not set"),
        "wildcard": bad({"rotationPeriod": "*"}, "rotationPeriod is *"),
        "second-position": bad(
            {"purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "99999999s"}, "99999999s"
        ),
        "unknown": unsure({"rotationPeriod": UNKNOWN}),
        "not-applicable": ok({"purpose": "ASYMMETRIC_SIGN"}),
        "imported": ok({"importOnly": True}),
    },
    "gcp-workload-identity-is-exact": {
        "who makes tokens": bad(
            {"role": "roles/iam.serviceAccountTokenCreator", "member": "allUsers"}, "allUsers"
        ),
        "pass": ok({"role": USER, "member": TRAINER}),
        "fail": bad({"role": USER, "member": "allUsers"}, "member is 'allUsers'"),
        "wildcard": bad({"role": USER, "member": POOL}, "principalSet://"),
        "second-position": bad(
            members(TRAINER, "serviceAccount:example.svc.id.goog[ml/*]"), "members[1]"
        ),
        "unknown": unsure(members(UNKNOWN, "allUsers"), findings=1, evidence="members[1]"),
        "not-applicable": ok({"role": "roles/iam.serviceAccountViewer", "member": "allUsers"}),
        "a whole policy": bad(
            document(members(TRAINER), members("allAuthenticatedUsers")), "allAuth"
        ),
        "one subject": ok(
            {"role": USER, "member": POOL.replace("Set://", "://").replace("*", "subject/a")}
        ),
        "a service account": ok({"role": "roles/iam.serviceAccountTokenCreator", "member": READER}),
    },
    "gcp-secret-access-is-named": {
        "pass": ok({"role": "roles/secretmanager.secretAccessor", "member": READER}),
        "fail": bad({"role": "r", "member": "allAuthenticatedUsers"}, "member is 'allAuth"),
        "wildcard": bad({"role": "r", "member": POOL}, "principalSet"),
        "second-position": bad(members(READER, "domain:example.com", role="r"), "members[1]"),
        "unknown": unsure(members(UNKNOWN, role="r")),
        "not-applicable": ok(members(role="r")),
        "a whole policy": bad(document(members("serviceAccount:*", role="r")), "serviceAccount:*"),
        "no policy": unsure({"policyData": "none"}),
    },
}
