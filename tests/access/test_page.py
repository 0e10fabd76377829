"""The matrix as a page and as text: complete, escaped, self-contained."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

from access.grant import Grant
from access.matrix import Matrix
from access.page import page
from access.policy import Capability, PathRule, Policy
from access.rbac import Rbac, workload_role
from access.rbac_rights import RbacRights
from access.text import matrix_text
from access.vault_rights import VaultRights, VaultRole

VOID = {"meta", "input", "br"}
HOSTILE = "<img src=x onerror=alert(1)>\"'&${x}"


class Reader(HTMLParser):
    """Checks that every element is closed in order, and keeps elements and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def many(count: int) -> Matrix:
    grants = [
        Grant(
            name=f"grant-{number}",
            service_accounts=(f"account-{number}",),
            namespaces=("ml-training",),
            secrets=(f"secret/team/{number}", "secret/shared"),
        )
        for number in range(count)
    ]
    jobs = workload_role(account="account-0", namespace="ml-training", secret_names=[], jobs=True)
    return Matrix([VaultRights.of_grants(grants), RbacRights(Rbac(jobs))])


def hostile() -> Matrix:
    rule = PathRule(path=HOSTILE, capabilities=frozenset({Capability.READ}))
    role = VaultRole(
        name=HOSTILE, accounts=(HOSTILE,), namespaces=(HOSTILE,), policies=(HOSTILE, "gone")
    )
    return Matrix([VaultRights(policies=[Policy(name=HOSTILE, rules=(rule,))], roles=[role])])


def test_every_subject_and_right_is_on_the_page() -> None:
    matrix = many(100)
    reader = read(page(matrix, title="stack test"))
    rows = [attributes for tag, attributes in reader.elements if "data-who" in attributes]
    assert len(rows) == len(matrix.rows) == 201
    assert {row["data-who"] for row in rows} == {str(row.subject) for row in matrix.rows}
    assert reader.texts.count("secret/shared") == 100
    assert "may make jobs: acts as any account in ml-training" in reader.texts
    assert any("100 subjects, 102 paths; 1 of the subjects" in text for text in reader.texts)


def test_everything_from_outside_is_escaped() -> None:
    text = page(hostile(), title=HOSTILE)
    reader = read(text)
    assert "<img" not in text
    assert all(tag != "img" and "onerror" not in attributes for tag, attributes in reader.elements)
    assert HOSTILE in reader.texts


def test_the_page_loads_nothing_and_allows_only_its_own_script_and_style() -> None:
    text = page(many(1), title="t")
    reader = read(text)
    assert not any(
        name in attributes for _, attributes in reader.elements for name in ("src", "href", "style")
    )
    assert not re.search(r"https?:|url\(|@import", text)
    (policy,) = [
        attributes["content"]
        for tag, attributes in reader.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content.group(1).encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in str(policy)


def test_the_page_says_what_machines_and_screen_readers_need() -> None:
    reader = read(page(many(2), title="t"))
    tags = [tag for tag, _ in reader.elements]
    assert ("html", {"lang": "en"}) in reader.elements
    assert tags.count("h1") == 1
    assert "caption" in tags
    for tag, attributes in reader.elements:
        if tag == "th":
            assert attributes["scope"] in ("col", "row", "rowgroup")
        if tag == "input":
            assert attributes["aria-label"]
    named = reader.texts.count("read")  # a mark alone would be read out as a shape
    assert named == 1 + sum("read" in row.capabilities for row in many(2).rows)


def test_an_empty_matrix_says_so() -> None:
    empty = Matrix([])
    assert "Nobody holds any right." in read(page(empty, title="t")).texts
    assert matrix_text(empty) == "Nobody holds any right."


def test_what_was_not_judged_is_on_the_page_and_in_the_text() -> None:
    matrix = hostile()
    assert "Not judged" in read(page(matrix, title="t")).texts
    assert "names the policy gone" in matrix_text(matrix)


def test_the_text_groups_rights_by_subject() -> None:
    assert matrix_text(many(1)).splitlines() == [
        "ml-training/account-0",
        "  k8s:ml-training/*  read  RoleBinding ml-training/account-0-rolebinding  "
        "[indirect: may make jobs, which reads every Secret of the namespace]",
        "  secret/shared      read  grant grant-0",
        "  secret/team/0      read  grant grant-0",
        "  acts as any account in ml-training: may make jobs, through "
        "Role ml-training/account-0-role (RoleBinding ml-training/account-0-rolebinding)",
    ]
