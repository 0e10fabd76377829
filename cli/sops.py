"""`strongroom sops`: write the encryption rules, and check that nothing under them is in clear.

Owns the conversation with the person. Encrypting, editing and opening files is sops itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.reporting import console, print_json, tell
from cli.sealing import read_bytes
from cli.stack import settings_of
from sealing import sops_check, sops_rules
from sealing.files import write
from settings.sops import Sops
from vaultops.errors import DoubtError, VaultOpsError

app = typer.Typer(no_args_is_help=True, help="Files encrypted with SOPS, in Git.")

Rules = Annotated[
    Path, typer.Option("--rules", help="The rules' file; paths in it count from its folder.")
]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where the stacks' settings files are.")] = Path(),
    dry_run: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when the rules are not up to date.")
    ] = False,
) -> None:
    """Write .sops.yaml from the section `sops` of every stack in the folder.

    Example: strongroom sops init --check

    Exit status: 0 up to date or written, 1 no stack has the section, 6 not up to date (--check).
    """
    found = []
    for file in sorted(folder.glob("Pulumi.*.yaml")):
        section = settings_of(None, file).sops
        if section:
            found.append(_wanted(file.name.split(".")[1], section))
    if not found:
        raise VaultOpsError(
            "no stack has encrypted files",
            where=str(folder),
            why="none of its Pulumi.*.yaml has `strongroom:sops`",
            fix="add the section: {folder: secrets/production, awsKms: …}",
        )
    target = folder / sops_rules.CONFIG
    text = sops_rules.render(sops_rules.rules_for(found))
    there = read_bytes(target) if target.exists() else b""
    if there == text.encode():
        tell(f"{target}: up to date")
    elif dry_run:
        raise DoubtError(
            "the rules are not those of the settings",
            where=str(target),
            why="a new file would be encrypted for other keys than the settings name",
            fix="run `strongroom sops init` and `sops updatekeys` on the files, then commit",
        )
    elif there and not there.startswith(sops_rules.HEADING.encode()):
        raise VaultOpsError(
            "the rules were written by hand; they were left as they are",
            where=str(target),
            why="the rules of other files than the stacks' would be lost",
            fix="move what no stack has into a .sops.yaml of its own folder, remove this one, and "
            "run it again",
        )
    else:
        write(target, text)
        tell(f"{target}: rules of {', '.join(one.stack for one in found)}")


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with some.")],
    rules: Rules = Path(sops_rules.CONFIG),
    as_json: Annotated[bool, typer.Option("--json", help="Print data for programs.")] = False,
) -> None:
    """Fail for each file under a rule that is in clear, or not for the rule's keys.

    Names files and fields, never values. Opens nothing and needs no key.

    Example: strongroom sops check secrets/

    Exit status: 0 nothing is in clear, 1 the rules or a path cannot be read, 6 findings.
    """
    if missing := [path for path in paths if not path.exists()]:
        raise VaultOpsError(
            "no such file", where=str(missing[0]), why="there is nothing to check", fix="correct it"
        )
    found = sops_check.check(rules.resolve().parent, paths, sops_rules.read(rules))
    if as_json:
        print_json([{"file": f.path, "field": f.field, "finding": f.what} for f in found])
    elif found:
        table = Table("file", "field", "finding", box=None, pad_edge=False)
        for finding in found:
            table.add_row(finding.path, finding.field, finding.what)
        console(160).print(table)
    if found:
        raise DoubtError(
            f"{len(found)} findings in {len({f.path for f in found})} files",
            where=found[0].path,
            why="who reads the repository may read what is in clear",
            fix="`sops encrypt --in-place FILE`, or `sops updatekeys FILE` for other keys; change "
            "the value itself if it was ever pushed",
        )
    tell("nothing is in clear")


def _wanted(stack: str, section: Sops) -> sops_rules.Folder:
    return sops_rules.Folder(
        stack=stack,
        folder=section.folder,
        encrypted_regex=section.encrypted_regex,
        aws_kms=section.aws_kms,
        aws_role=section.aws_role,
        aws_profile=section.aws_profile,
        gcp_kms=section.gcp_kms,
        age=section.age,
    )
