"""The scanners' corpus: each value in the surroundings where it is found in real projects.

Owns the surroundings and the labels. Half of the surroundings are used to tune rules, the other
half only with a held-out seed, so that a rule cannot have been written to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.scanner_values import HARMLESS, SECRETS, letters

TYPES = {
    "py": "settings_{}.py",
    "yaml": "values_{}.yaml",
    "env": "{}.env",
    "json": "config_{}.json",
    "md": "notes_{}.md",
    "history": "bash_history_{}",
}

# A variable's name, tuned half first, then the held-out half.
NAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "vault root token": (("vault_token", "root_token"), ("vault_root_token", "bootstrap_login")),
    "vault service token": (("vault_token", "client_token"), ("vault_login", "x_vault_token")),
    "vault batch token": (("batch_token", "vault_token"), ("vault_batch", "client_token")),
    "vault recovery token": (("recovery_token",), ("vault_recovery", "dr_token")),
    "wrapping token": (("wrapping_token",), ("wrapped_token",)),
    "openbao token": (("bao_token", "vault_token"), ("openbao_token", "client_token")),
    "openbao batch token": (("bao_token",), ("batch_token",)),
    "unseal share": (("unseal_key_1", "unseal_key"), ("vault_unseal_key", "unseal_share")),
    "recovery share": (
        ("recovery_key_1", "recovery_key"),
        ("recovery_share", "vault_recovery_key"),
    ),
    "approle secret id": (
        ("secret_id", "vault_secret_id"),
        ("approle_secret_id", "role_secret_id"),
    ),
    "database url": (("database_url", "dsn"), ("sqlalchemy_uri", "broker_url")),
    "private key": (("private_key", "tls_key"), ("signing_key", "ssh_key")),
    "github token": (("github_token", "gh_token"), ("git_password", "ci_token")),
    "commit": (("revision", "commit"), ("git_sha", "version")),
    "image digest": (("image_digest", "digest"), ("image", "base_image")),
    "uuid": (("request_id", "role_id"), ("uid", "correlation_id")),
    "placeholder": (("vault_token", "root_token"), ("client_token", "token")),
    "certificate": (("ca_certificate", "tls_crt"), ("ca_bundle", "client_cert")),
    "lock file": (("integrity",), ("resolved_integrity",)),
    "audit hmac": (("client_token", "accessor"), ("display_token", "secret_id")),
    "token accessor": (("token_accessor", "accessor"), ("client_token_accessor",)),
    "secret id accessor": (("secret_id_accessor",), ("approle_secret_id_accessor",)),
    "public key": (("public_key", "ssh_public_key"), ("authorized_key", "deploy_key")),
    "ciphertext": (("ciphertext", "encrypted_password"), ("wrapped_data_key", "sealed_value")),
    "sealed secret": (("password", "token"), ("api_key", "encrypted")),
    "reference": (("secret_name", "password_path"), ("token_path", "credentials_secret")),
    "url without password": (("database_url", "dsn"), ("sqlalchemy_uri", "broker_url")),
    "fingerprint of a share": (
        ("unseal_key_sha256", "share_fingerprint"),
        ("unseal_key_checksum", "recovery_key_digest"),
    ),
}

# Surroundings by type of file: {n} the name, {N} in capitals, {c} in camel case, {v} the value.
FRAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "py": (
        ('{N} = "{v}"', 'config["{n}"] = "{v}"'),
        ("client = connect(address=ADDRESS, {n}='{v}')", 'os.environ["{N}"] = "{v}"'),
    ),
    "yaml": (
        ("{n}: {v}", 'env:\n  - name: {N}\n    value: "{v}"'),
        ('{c}: "{v}"', "stringData:\n  {n}: '{v}'"),
    ),
    "env": (("{N}={v}", "export {N}={v}"), ('{N}="{v}"', "export {N}='{v}'")),
    "json": (
        ('{{"{n}": "{v}"}}', '{{"auth": {{"{c}": "{v}", "ttl": 3600}}}}'),
        (
            '{{\n  "data": {{\n    "{n}": "{v}"\n  }}\n}}',
            '{{"env": [{{"name": "{N}", "value": "{v}"}}]}}',
        ),
    ),
    "md": (
        ("The {n} is `{v}`.", "```\n{n}    {v}\n```"),
        ("| {n} | `{v}` |", "- {N}: {v}"),
    ),
    "history": (
        ("export {N}={v}", "{N}={v} ./deploy.sh"),
        ("./run.py --{n} {v}", "kubectl create secret generic ml --from-literal={n}={v}"),
    ),
}

# Where the tools themselves print or take the value, beside the surroundings above.
SPECIAL: Mapping[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("vault root token", "history"): (("vault login {v}",), ("vault login -method=token {v}",)),
    ("vault root token", "md"): (("Initial Root Token: {v}",), ("Log in with {v} and revoke it.",)),
    ("vault root token", "json"): (
        ('{{"keys": [], "root_token": "{v}"}}',),
        ('{{"auth": {{"client_token": "{v}", "policies": ["root"]}}}}',),
    ),
    ("vault service token", "history"): (
        ('curl -H "X-Vault-Token: {v}" $VAULT_ADDR/v1/kv/data/ml',),
        ("VAULT_TOKEN={v} vault kv get kv/ml",),
    ),
    ("vault recovery token", "md"): (("Recovery Token: {v}",), ("Started with {v}.",)),
    ("wrapping token", "history"): (
        ("vault unwrap {v}",),
        ("VAULT_TOKEN={v} vault unwrap -format=json",),
    ),
    ("wrapping token", "md"): (
        ("```\nwrapping_token:                  {v}\nwrapping_token_ttl: 5m\n```",),
        ("Unwrap {v} within five minutes.",),
    ),
    ("wrapping token", "json"): (
        ('{{"wrap_info": {{"token": "{v}", "ttl": 300}}}}',),
        ('{{"wrap_info": {{\n    "token": "{v}",\n    "accessor": ""\n}}}}',),
    ),
    ("openbao token", "history"): (("bao login {v}",), ("BAO_TOKEN={v} bao kv get kv/ml",)),
    ("openbao token", "md"): (("Initial Root Token: {v}",), ("Log in with {v} and revoke it.",)),
    ("unseal share", "history"): (("vault operator unseal {v}",), ("bao operator unseal {v}",)),
    ("unseal share", "md"): (("Unseal Key 3: {v}",), ("Key 2 of 5, to unseal: unseal key\n{v}",)),
    ("unseal share", "json"): (
        ('{{"unseal_keys_b64": ["{v}"], "unseal_shares": 1}}',),
        ('{{"keys_base64": [\n  "{v}"\n]}}',),
    ),
    ("recovery share", "history"): (
        ("vault operator generate-root -nonce=4c1e {v} # recovery key",),
        ("vault operator rekey -target=recovery {v}",),
    ),
    ("recovery share", "md"): (
        ("Recovery Key 3: {v}",),
        ("Recovery share of the second holder: {v}",),
    ),
    ("recovery share", "json"): (
        ('{{"recovery_keys_b64": ["{v}"], "recovery_keys_shares": 1}}',),
        ('{{"recovery_keys_base64": [\n  "{v}"\n]}}',),
    ),
    ("approle secret id", "history"): (
        ("vault write auth/approle/login role_id=ml secret_id={v}",),
        ('curl -d \'{{"role_id":"ml","secret_id":"{v}"}}\' $VAULT_ADDR/v1/auth/approle/login',),
    ),
    ("approle secret id", "md"): (
        ("```\nKey          Value\nsecret_id    {v}\n```",),
        ("The job's secret id: {v}",),
    ),
    ("database url", "history"): (("psql {v}",), ("alembic -x url={v} upgrade head",)),
    ("github token", "history"): (
        ("git clone https://oauth2:{v}@github.com/org/models.git",),
        ('curl -H "Authorization: Bearer {v}" https://api.github.com/user',),
    ),
    ("uuid", "history"): (
        ("vault read auth/approle/role/ml/role-id # {v}",),
        ("kubectl logs job --request-id {v}",),
    ),
    ("audit hmac", "json"): (
        ('{{"type":"request","auth":{{"client_token":"{v}","accessor":"{v}"}}}}',),
        ('{{"response":{{"secret":{{"lease_id":""}},"data":{{"secret_id":"{v}"}}}}}}',),
    ),
    ("reference", "py"): (
        ('password = read_secret("{v}")', "return s.reconcileVaultConnections(context)"),
        ('{N} = os.environ.get("{N}", "{v}")', "token = s.createServiceAccountName"),
    ),
    ("lock file", "json"): (
        ('{{"node_modules/x": {{"version": "1.2.3", "integrity": "{v}"}}}}',),
        ('{{"dependencies": {{"x": {{"integrity": "{v}", "dev": true}}}}}}',),
    ),
}

_PAIRS: Mapping[str, tuple[str, str]] = {
    "py": ('AWS_ACCESS_KEY_ID = "{k}"\nAWS_SECRET_ACCESS_KEY = "{s}"', 'key="{k}", secret="{s}"'),
    "yaml": ("accessKeyId: {k}\nsecretAccessKey: {s}", 'aws: {{key: "{k}", secretKey: "{s}"}}'),
    "env": ("AWS_ACCESS_KEY_ID={k}\nAWS_SECRET_ACCESS_KEY={s}", 'S3_KEY="{k}"\nS3_SECRET="{s}"'),
    "json": ('{{"access_key": "{k}", "secret_key": "{s}"}}', '{{"id": "{k}", "secret": "{s}"}}'),
    "md": ("aws_access_key_id = {k}\naws_secret_access_key = {s}", "Key `{k}`, secret `{s}`."),
    "history": ("aws configure set aws_access_key_id {k} # {s}", "S3_KEY={k} S3_SECRET={s} ./sync"),
}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One file. `values` are what a scanner should see; empty where it should see nothing."""

    kind: str
    type: str
    name: str
    text: str
    values: tuple[str, ...] = field(default=(), repr=False)


def corpus(seed: int, *, held_out: bool, each: int) -> Iterator[Sample]:
    """`each` files of every kind and type of file, secrets first."""
    random = Random(seed)  # noqa: S311 - what it makes opens nothing
    half = 1 if held_out else 0
    for kinds, secret in ((SECRETS, True), (HARMLESS, False)):
        for kind, make in kinds.items():
            for form in TYPES:
                for _ in range(each):
                    value = make(random)
                    yield _sample(random, half, kind, form, value, secret=secret)


def _sample(random: Random, half: int, kind: str, form: str, value: str, *, secret: bool) -> Sample:
    if kind in ("aws key pair", "documented key"):
        key, hidden = value.split("\n")
        text = _PAIRS[form][half].format(k=key, s=hidden)
        values: tuple[str, ...] = (key, hidden)
    else:
        frames = FRAMES[form][half]
        special = SPECIAL.get((kind, form))
        frame = random.choice([*frames, *(special[half] * 2)] if special else frames)
        text = _fill(frame, random.choice(NAMES[kind][half]), value, form)
        values = (value,)
    return Sample(
        kind=kind,
        type=form,
        name=TYPES[form].format(letters(random, 8).lower()),
        text=f"{_filler(random, form)}{text}\n{_filler(random, form)}",
        values=values if secret else (),
    )


def _fill(frame: str, name: str, value: str, form: str) -> str:
    first, *rest = name.split("_")
    if "\n" in value:
        if form in ("yaml", "md"):  # a block, as both write it
            return f"{name}: |\n" + "\n".join(f"  {line}" for line in value.splitlines())
        value = value.replace("\n", "\\n")
    return frame.format(
        n=name, N=name.upper(), c=first + "".join(part.title() for part in rest), v=value
    )


def _filler(random: Random, form: str) -> str:
    """Ordinary lines around, of no interest to anybody."""
    chosen = random.sample(_FILLERS[form], k=min(2, len(_FILLERS[form])))
    return "".join(f"{line}\n" for line in chosen)


_FILLERS: Mapping[str, Sequence[str]] = {
    "py": ("import os", "TIMEOUT = 30", "def main() -> None: ...", 'REGION = "eu-central-1"'),
    "yaml": ("replicas: 3", "namespace: ml-training", "ttl: 1h", "enabled: true"),
    "env": ("LOG_LEVEL=info", "REGION=eu-central-1", "WORKERS=4"),
    "json": (),
    "md": ("## Set-up", "Ask the platform team first.", "The job runs every night."),
    "history": ("cd training", "git status", "kubectl get pods -n ml-training", "make test"),
}
