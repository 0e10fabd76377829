"""Cases of the rules on AWS."""

from __future__ import annotations

import json
from typing import Any

from policies.iam_documents import SECRET
from policies.rule import Resource
from policies.rules.aws.secret_rotation_is_frequent import ROTATION
from policies.view import UNKNOWN
from tests.policies.cases.case import Case, bad, ok, resource, unsure

ACCOUNT = "123456789012"
SECRET_ARN = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:ml/mlflow-AbCdEf"
KEY_ARN = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/vault"
ISSUER = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
SUB, AUD = f"{ISSUER}:sub", f"{ISSUER}:aud"
TRAINER = "system:serviceaccount:ml-training:trainer"


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": actions, "Resource": "*"}


def policy(*statements: Any) -> dict[str, Any]:
    return {"policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


def trust(*statements: Any) -> dict[str, Any]:
    return {"assumeRolePolicy": json.dumps({"Statement": list(statements)})}


def assume(principal: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    return {**statement, **({"Condition": condition} if condition else {})}


def web(**condition: Any) -> dict[str, Any]:
    provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"}
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": provider,
        "Condition": condition,
    }


def to(principal: Any, actions: Any = "kms:Decrypt", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*", "Principal": principal}
    return {**statement, **({"Condition": condition} if condition else {})}


def rotation(name: str, secret_id: Any, *sources: str) -> Resource:
    return Resource(
        type=ROTATION,
        name=name,
        urn=f"urn:test::{name}",
        properties={"secretId": secret_id},
        depends_on={"secretId": frozenset(sources)} if sources else {},
    )


def rules(**rule: Any) -> dict[str, Any]:
    return {"rotationRules": rule}


REGION = {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
ANY_TAG = {"StringLike": {"aws:ResourceTag/team": "*"}}
READ = allow("secretsmanager:GetSecretValue", SECRET_ARN)
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
EXACT = web(StringEquals={SUB: TRAINER, AUD: "sts.amazonaws.com"})
ORG = {"aws:PrincipalOrgID": "o-example"}
PASS = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}

CASES: dict[str, dict[str, Case]] = {
    "iam-no-full-actions": {
        "pass": ok(policy(READ, allow("kms:Describe*", KEY_ARN))),
        "fail": bad(policy(allow("s3:*", "arn:aws:s3:::models")), "allows s3:*"),
        "wildcard": bad(policy(allow("*")), "Statement[0] allows *"),
        "second-position": bad(
            policy(READ, allow(["kms:Decrypt", "iam:*"])), "Statement[1] allows iam:*"
        ),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(policy(deny("*"))),
        "everything but": bad(
            policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
            "everything but iam:*",
        ),
        "inline": bad({"inlinePolicies": [policy(READ), policy(allow("*"))]}, "inlinePolicies[1]"),
        "no document": unsure({"policy": "{}"}),
    },
    "iam-resources-are-named": {
        "bounded by a pattern": bad(
            policy(allow("s3:GetObject", Condition=ANY_TAG)), "s3:GetObject on every resource"
        ),
        "another condition": bad(policy(allow("s3:GetObject", Condition=REGION)), "s3:GetObject"),
        "all actions are another rule's": ok(policy(allow("*"))),
        "everything in more words": bad(
            policy(allow("s3:GetObject", ["arn:aws:s3:::models/*", "arn:aws:*:*"])), "s3:GetObj"
        ),
        "everything in fewer words": bad(policy(allow("kms:Decrypt", "arn:*")), "kms:Decrypt"),
        "everything of one account": ok(
            policy(allow("logs:PutLogEvents", f"arn:aws:logs:eu-central-1:{ACCOUNT}:*"))
        ),
        "pass": ok(policy(READ, allow(["kms:ListKeys", "sts:GetCallerIdentity", "ec2:Describe*"]))),
        "fail": bad(policy(allow("kms:Decrypt")), "allows kms:Decrypt on every resource"),
        "wildcard": bad(policy(allow("secretsmanager:Get*")), "secretsmanager:Get*"),
        "second-position": bad(
            policy(READ, allow(["s3:ListAllMyBuckets", "s3:GetObject"])), "s3:GetObject"
        ),
        "unknown": unsure({"policyDocument": UNKNOWN}),
        "not-applicable": ok(policy(deny("kms:Decrypt"))),
        "a service outside the table": unsure(policy(allow("quicksight:CreateUser"))),
        "bounded by the account": ok(
            policy(
                allow("s3:GetObject", Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})
            )
        ),
        "all resources but some": bad(
            policy({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::a"}),
            "s3:Get",
        ),
    },
    "iam-pass-role-is-bound": {
        "every role but one": bad(
            policy(
                {
                    "Effect": "Allow",
                    "Action": "iam:PassRole",
                    "NotResource": ROLE_ARN,
                    "Condition": PASS,
                }
            ),
            "passes every role but some",
        ),
        "another condition": bad(
            policy(allow("iam:PassRole", ROLE_ARN, Condition=REGION)), "to any service"
        ),
        "pass": ok(policy(allow("iam:PassRole", ROLE_ARN, Condition=PASS))),
        "fail": bad(policy(allow("iam:PassRole", ROLE_ARN)), "passes a role to any service"),
        "wildcard": bad(
            policy(allow("iam:Pass*", f"arn:aws:iam::{ACCOUNT}:role/*", Condition=PASS)), "role/*"
        ),
        "second-position": bad(
            policy(READ, allow(["iam:GetRole", "iam:PassRole"], "*")), "Statement[1]", 2
        ),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(policy(deny("iam:PassRole"), allow("*"))),
        "a condition with a pattern": bad(
            policy(
                allow(
                    "iam:PassRole", ROLE_ARN, Condition={"StringLike": {"iam:PassedToService": "*"}}
                )
            ),
            "any service",
        ),
    },
    "iam-no-escalation": {
        "pass": ok(policy(READ, allow("iam:GetRole", ROLE_ARN))),
        "fail": bad(policy(allow("iam:CreateAccessKey")), "allows iam:CreateAccessKey"),
        "wildcard": bad(policy(allow("iam:Attach*Policy")), "iam:AttachGroupPolicy"),
        "second-position": bad(
            policy(allow("iam:PassRole", ROLE_ARN), allow("sagemaker:CreateTrainingJob")),
            "iam:PassRole + sagemaker:CreateTrainingJob",
        ),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(policy(allow("iam:CreateAccessKey"), deny("iam:Create*"))),
        "half a way": ok(policy(allow("ec2:RunInstances"))),
        "everything": bad(policy(allow("*")), "more ways"),
    },
    "iam-secret-reads-are-named": {
        "bounded by a pattern": bad(policy(allow("kms:Decrypt", Condition=ANY_TAG)), "kms:Decrypt"),
        "another condition": bad(policy(allow("kms:Decrypt", Condition=REGION)), "kms:Decrypt"),
        "an ARN that ends early": bad(
            policy(allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*")), ":*"
        ),
        "a wildcard that begins in the kind": bad(
            policy(allow("kms:Decrypt", f"arn:aws:kms:eu-central-1:{ACCOUNT}:ke*")), "ke*"
        ),
        "a name without a kind": ok(
            policy(allow("kms:Decrypt", f"arn:aws:kms:eu-central-1:{ACCOUNT}:ours-*"))
        ),
        "the beginning of a kind, as a name": ok(
            policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::a"})
        ),
        "an ARN without a name": bad(
            policy(allow("kms:Decrypt", f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/")), "key/"
        ),
        "pass": ok(
            policy(
                READ,
                allow("ssm:GetParameter", f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/ml/*"),
            )
        ),
        "fail": bad(policy(allow("secretsmanager:GetSecretValue")), "GetSecretValue on *"),
        "wildcard": bad(
            policy(allow("secretsmanager:*", "arn:aws:secretsmanager:*:*:secret:*")), "secret:*"
        ),
        "second-position": bad(
            policy(
                READ, allow("kms:Decrypt", [KEY_ARN, f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/*"])
            ),
            "key/*",
        ),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok(policy(allow("secretsmanager:ListSecrets"), deny("kms:Decrypt"))),
        "bounded by a tag": ok(
            policy(
                allow("kms:Decrypt", Condition={"StringEquals": {"aws:ResourceTag/team": "ml"}}),
            )
        ),
        "all but some": bad(
            policy({"Effect": "Allow", "Action": "kms:Decrypt", "NotResource": KEY_ARN}),
            "all but some",
        ),
    },
    "iam-no-admin-managed-policy": {
        "pass": ok({"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/AdministratorAccess"}),
        "fail": bad(
            {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "AWS's Administrator"
        ),
        "wildcard": bad({"policyArns": ["arn:aws:iam::aws:policy/*"]}, "AWS's *"),
        "second-position": bad(
            {
                "policyArns": [
                    "arn:aws:iam::aws:policy/ReadOnlyAccess",
                    "arn:aws:iam::aws:policy/IAMFullAccess",
                ]
            },
            "policyArns[1]",
        ),
        "unknown": unsure({"policyArns": [UNKNOWN]}),
        "not-applicable": ok({"managedPolicyArns": []}),
    },
    "trust-web-identity-is-exact": {
        "pass": ok(trust(EXACT)),
        "fail": bad(
            trust(web(StringEquals={AUD: "sts.amazonaws.com"})), "leaves sub open: not tested"
        ),
        "wildcard": bad(
            trust(
                web(
                    StringLike={SUB: "system:serviceaccount:*"},
                    StringEquals={AUD: "sts.amazonaws.com"},
                )
            ),
            "StringLike system:serviceaccount:*",
        ),
        "second-position": bad(
            trust(EXACT, web(StringEquals={SUB: TRAINER})), "Statement[1] leaves aud"
        ),
        "unknown": unsure({"assumeRolePolicy": UNKNOWN}),
        "not-applicable": ok(trust(assume({"Service": "ec2.amazonaws.com"}))),
        "a policy elsewhere": ok({}),
        "only if it is there": bad(
            trust(
                web(StringEqualsIfExists={SUB: TRAINER}, StringEquals={AUD: "sts.amazonaws.com"})
            ),
            "StringEqualsIfExists",
        ),
        "for all values": bad(
            trust(web(StringEquals={SUB: TRAINER}, **{"ForAllValues:StringEquals": {AUD: "a"}})),
            "ForAllValues",
        ),
    },
    "trust-names-principals": {
        "another condition": bad(trust(assume(ROOT, **REGION)), "the whole account"),
        "any external id": bad(
            trust(assume(ROOT, StringLike={"sts:ExternalId": "*"})), "the whole account"
        ),
        "pass": ok(trust(assume({"AWS": ROLE_ARN, "Service": "ec2.amazonaws.com"}))),
        "fail": bad(trust(assume(ROOT)), f"the whole account arn:aws:iam::{ACCOUNT}:root"),
        "wildcard": bad(trust(assume("*")), "trusts * '*'"),
        "second-position": bad(trust(assume({"AWS": [ROLE_ARN, ACCOUNT]})), f"account {ACCOUNT}"),
        "unknown": unsure({"assumeRolePolicy": UNKNOWN}),
        "not-applicable": ok(trust(assume(ROOT, StringEquals={"sts:ExternalId": "example"}))),
        "a policy elsewhere": ok({}),
        "the organisation": ok(trust(assume({"AWS": "*"}, StringEquals=ORG))),
        "an idle condition": bad(trust(assume("*", Bool={"aws:SecureTransport": "true"})), "'*'"),
        "a role of any account": bad(
            trust(assume({"AWS": "arn:aws:iam::*:role/a"}, StringEquals=ORG)), "role/a"
        ),
        "everybody but": bad(
            trust({"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": ROOT}),
            "NotPrincipal",
        ),
    },
    "aws-no-access-key": {
        "pass": ok({"user": "vault", "status": "Inactive"}),
        "fail": bad({"user": "vault"}, "status is 'Active'"),
        "wildcard": bad({"user": "*", "status": "*"}, "status is '*'"),
        "second-position": bad({"pgpKey": "keybase:example", "status": "Active"}, "Active"),
        "unknown": unsure({"user": "vault", "status": UNKNOWN}),
        "not-applicable": ok({"user": UNKNOWN, "status": "Inactive"}),
    },
    "kms-key-rotates": {
        "pass": ok({"enableKeyRotation": True, "rotationPeriodInDays": 90}),
        "fail": bad({}, "enableKeyRotation is not set"),
        "wildcard": bad({"enableKeyRotation": "*"}, "enableKeyRotation is *"),
        "second-position": bad(
            {"enableKeyRotation": True, "rotationPeriodInDays": 2560}, "is 2560"
        ),
        "unknown": unsure({"enableKeyRotation": UNKNOWN}),
        "not-applicable": ok({"customerMasterKeySpec": "RSA_4096"}),
        "disabled": ok({"isEnabled": False}),
        "in a store of one's own": ok({"customKeyStoreId": "cks-example"}),
    },
    "kms-deletion-is-slow": {
        "pass": ok({"deletionWindowInDays": 30}),
        "fail": bad({"deletionWindowInDays": 7}, "deletionWindowInDays is 7"),
        "wildcard": bad({"deletionWindowInDays": "*"}, "is *"),
        "second-position": bad(
            {"deletionWindowInDays": 30, "bypassPolicyLockoutSafetyCheck": True}, "bypassPolicy"
        ),
        "unknown": unsure(
            {"deletionWindowInDays": UNKNOWN, "bypassPolicyLockoutSafetyCheck": 1}, findings=1
        ),
        "not-applicable": ok({"description": "AWS's default is 30 days"}),
    },
    "kms-key-policy-names-principals": {
        "everybody but one account": bad(
            policy(to("*", ArnNotLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"})),
            "to everybody",
        ),
        "pass": ok(policy(to(ROOT, "kms:*"))),
        "fail": bad(policy(to("*")), "allows kms:Decrypt to everybody"),
        "wildcard": bad(policy(to({"AWS": "*"}, "kms:*")), "allows kms:* to everybody"),
        "second-position": bad(policy(to(ROOT), to({"AWS": [ROLE_ARN, "*"]})), "Statement[1]"),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok({"description": "no policy of its own"}),
        "bounded by the caller": ok(policy(to("*", StringEquals={"kms:CallerAccount": ACCOUNT}))),
        "bounded to an account": ok(
            policy(to("*", ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}))
        ),
        "an idle condition": bad(
            policy(to("*", StringLike={"kms:EncryptionContext:a": "*"})), "everybody"
        ),
        "a pattern of accounts": bad(
            policy(to("*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/a"})), "every"
        ),
        "everybody but": bad(
            policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "NotPrincipal": ROOT}),
            "kms:*",
        ),
    },
    "kms-use-is-apart": {
        "everybody is another rule's": ok(policy(to("*", "kms:*"))),
        "pass": ok(policy(to(ROOT, "kms:*"), to({"AWS": ROLE_ARN}))),
        "fail": bad(
            policy(to({"AWS": ROLE_ARN}, ["kms:Decrypt", "kms:PutKeyPolicy"])), "kms:PutKeyPolicy"
        ),
        "wildcard": bad(policy(to({"AWS": ROLE_ARN}, "kms:*")), f"{ROLE_ARN} has kms:Decrypt"),
        "second-position": bad(
            policy(to({"AWS": ROLE_ARN}), to({"AWS": ROLE_ARN}, "kms:Schedule*")),
            "ScheduleKeyDeletion",
        ),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok({}),
        "two roles": ok(
            policy(to({"AWS": ROLE_ARN}), to({"AWS": f"{ROLE_ARN}-admin"}, "kms:Put*"))
        ),
    },
    "secret-has-own-key": {
        "pass": ok({"kmsKeyId": KEY_ARN}),
        "fail": bad({}, "kmsKeyId is not set"),
        "wildcard": bad({"kmsKeyId": "*"}, "kmsKeyId is *"),
        "second-position": bad(
            {"kmsKeyId": KEY_ARN, "replicas": [{"region": "eu-west-1"}]}, "replicas[0]"
        ),
        "unknown": unsure(
            {"kmsKeyId": UNKNOWN, "replicas": [{}]}, findings=1, evidence="replicas[0]"
        ),
        "not-applicable": ok({"kmsKeyId": "alias/strongroom"}),
        "AWS's key by name": bad({"kmsKeyId": "alias/aws/secretsmanager"}, "alias/aws"),
    },
    "secret-rotation-is-frequent": {
        "every sixth month": bad(rules(scheduleExpression="cron(0 3 1 */6 ? *)"), "every 186 days"),
        "months of a span": bad(
            rules(scheduleExpression="cron(0 3 1 1-6/2 ? *)"), "every 248 days"
        ),
        "pass": ok(rules(automaticallyAfterDays=30)),
        "fail": bad(rules(automaticallyAfterDays=365), "rotates every 365 days"),
        "wildcard": bad(rules(scheduleExpression="cron(0 3 1 1 ? *)"), "every 372 days (cron"),
        "second-position": bad(
            rules(duration="3h", scheduleExpression="rate(120 days)"), "every 120 days"
        ),
        "unknown": unsure(rules(automaticallyAfterDays=UNKNOWN)),
        "not-applicable": ok(rules(scheduleExpression="cron(0 3 1 JAN,APR,JUL,OCT ? *)")),
        "off": bad(
            {"rotationEnabled": False, **rules(automaticallyAfterDays=1)}, "rotationEnabled"
        ),
        "no rules": bad({}, "rotationRules is not set"),
        "no schedule": bad(rules(duration="3h"), "rotates never"),
        "an unreadable schedule": bad(
            rules(scheduleExpression="at noon"), "rotates never (at noon)"
        ),
        "a month that is none": bad(rules(scheduleExpression="cron(0 3 1 X ? *)"), "never"),
        "a step of nothing": bad(rules(scheduleExpression="cron(0 3 1 */0 ? *)"), "never"),
        "until a year is over": bad(rules(scheduleExpression="cron(0 3 1 * ? 2030)"), "never"),
        "every hour": ok(rules(scheduleExpression="rate(4 hours)")),
        "every third month": ok(rules(scheduleExpression="cron(0 3 1 */3 ? *)")),
        "two months of the year": bad(
            rules(scheduleExpression="cron(0 3 1 1-2 ? *)"), "every 341 days"
        ),
    },
    "secret-rotates": {
        "pass": ok((resource(SECRET, "a", name="a"), rotation("r", UNKNOWN, "urn:test::a"))),
        "fail": bad(
            (resource(SECRET, "a", name="a"),), "no SecretRotation of this stack names 'a'"
        ),
        "wildcard": bad((resource(SECRET, "a", name="a"), rotation("r", "*")), "names 'a'"),
        "second-position": bad(
            (resource(SECRET, "a"), resource(SECRET, "b"), rotation("r", UNKNOWN, "urn:test::a")),
            "'b'",
        ),
        "unknown": unsure((resource(SECRET, "a", name="a"), rotation("r", UNKNOWN))),
        "not-applicable": ok((rotation("r", SECRET_ARN),)),
        "by ARN": ok((resource(SECRET, "a", name="ml/mlflow"), rotation("r", SECRET_ARN))),
        "by its own ARN": ok((resource(SECRET, "a", arn=SECRET_ARN), rotation("r", SECRET_ARN))),
    },
    "secret-recovery-window": {
        "pass": ok({"recoveryWindowInDays": 30}),
        "fail": bad({"recoveryWindowInDays": 0}, "recoveryWindowInDays is 0"),
        "wildcard": bad({"recoveryWindowInDays": "*"}, "is *"),
        "second-position": bad({"name": "a", "recoveryWindowInDays": 7}, "is 7"),
        "unknown": unsure({"recoveryWindowInDays": UNKNOWN}),
        "not-applicable": ok({}),
    },
    "secret-policy-names-principals": {
        "pass": ok(policy(to({"AWS": ROLE_ARN}, "secretsmanager:GetSecretValue"))),
        "fail": bad(
            policy(to("*", "secretsmanager:GetSecretValue")), "GetSecretValue to everybody"
        ),
        "wildcard": bad(policy(to({"AWS": "*"}, "*")), "allows * to everybody"),
        "second-position": bad(policy(to(ROOT), to("*")), "Statement[1]"),
        "unknown": unsure({"policy": UNKNOWN}),
        "not-applicable": ok({}),
        "the organisation": ok(policy(to("*", StringEquals=ORG))),
        "everybody but": bad(
            policy({"Effect": "Allow", "Action": "*", "Resource": "*", "NotPrincipal": ROOT}),
            "everybody",
        ),
    },
}
