"""The catalogue and the Go modules beside it say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from local.toolchain.catalogue import BENCHMARK_TOOLS, GO_MODULES, TOOLS, Build
from local.toolchain.charts import _external_secrets

ALL = {**TOOLS, **BENCHMARK_TOOLS}
BUILDS = {tool.source.name: tool.source for tool in ALL.values() if isinstance(tool.source, Build)}
_REQUIRED = re.compile(r"^(?:require )?\t?(\S+) (v\S+)", re.MULTILINE)


def required(build: Build) -> dict[str, str]:
    """Module path -> version in the build's go.mod."""
    return dict(_REQUIRED.findall((GO_MODULES / build.name / "go.mod").read_text()))


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_the_catalogue_names_the_version_that_go_mod_pins(build: Build) -> None:
    pinned = required(build)
    for package in build.packages.values():
        if package != ".":
            module = max((path for path in pinned if package.startswith(path)), key=len)
            assert pinned[module] == f"v{build.version}", module
    for module, _ in build.files.values():
        assert module in pinned


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_every_module_is_pinned_by_a_go_sum(build: Build) -> None:
    sums = (GO_MODULES / build.name / "go.sum").read_text()
    assert re.search(r"^\S+ v\S+ h1:\S{43}=$", sums, re.MULTILINE)


@pytest.mark.parametrize("build", BUILDS.values(), ids=BUILDS)
def test_every_replacement_says_why(build: Build) -> None:
    lines = (GO_MODULES / build.name / "go.mod").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("replace "):
            assert lines[number - 1].startswith("// "), f"{build.name}/go.mod: {line}"


def test_no_folder_is_without_a_tool() -> None:
    assert {path.name for path in GO_MODULES.iterdir() if path.is_dir()} == set(BUILDS)


def test_each_binary_has_one_entry_and_each_entry_its_binary() -> None:
    made = [name for build in BUILDS.values() for name in (*build.packages, *build.files)]
    assert sorted(made) == sorted(
        name for name, tool in ALL.items() if isinstance(tool.source, Build)
    )


def test_what_only_benchmarks_need_is_in_no_default_list() -> None:
    assert not TOOLS.keys() & BENCHMARK_TOOLS.keys()


def test_the_provider_beside_opentofu_is_the_one_that_the_vault_plugin_bridges() -> None:
    module = "github.com/hashicorp/terraform-provider-vault"
    assert (
        required(BUILDS["pulumi-vault"])[module]
        == required(BUILDS["terraform-provider-vault"])[module]
    )


def test_the_external_secrets_chart_gets_its_definitions_and_loses_its_subchart(
    tmp_path: Path,
) -> None:
    definitions = tmp_path / "source/config/crds/bases"
    definitions.mkdir(parents=True)
    for kind in ("ExternalSecret", "ClusterSecretStore"):
        (definitions / f"external-secrets.io_{kind.lower()}s.yaml").write_text(
            f"---\nkind: CustomResourceDefinition\nspec: {{names: {{kind: {kind}}}}}\n"
        )
    (definitions / "kustomization.yaml").write_text("kind: Kustomization\n")
    chart = tmp_path / "chart"
    (chart / "templates/crds").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: external-secrets\ndependencies: [{name: other}]\n")
    (chart / "Chart.lock").write_text("")

    _external_secrets(tmp_path / "source", chart)

    assert yaml.safe_load((chart / "Chart.yaml").read_text()) == {"name": "external-secrets"}
    written = {path.name: path.read_text() for path in (chart / "templates/crds").iterdir()}
    assert sorted(written) == ["clustersecretstore.yaml", "externalsecret.yaml"]
    assert written["externalsecret.yaml"].startswith("{{- if .Values.installCRDs }}\nkind:")
    assert written["clustersecretstore.yaml"].startswith(
        "{{- if and (.Values.installCRDs) (.Values.crds.createClusterSecretStore) }}\n"
    )
    assert all(text.endswith("{{- end }}\n") for text in written.values())
