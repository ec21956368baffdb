"""Report: the summary of an attack, and files that reproduce each finding."""

import json
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.adversary.attack import Finding, Tally
from tests.adversary.judge import EMPTY, FINDING, PREDICTED, REJECTED
from tests.adversary.models import Model

OUTCOMES = (PREDICTED, REJECTED, EMPTY, FINDING)
# Findings whose reasons differ only in numbers are similar.
VARIABLE_PART = re.compile(r"[-+.\d]+")
KIND_CHARACTERS, MAX_SIMILAR = 80, 3
URL = "http://127.0.0.1:8080/invocations"


def format_summary(tally: Tally, seconds: float) -> str:
    """Return a table of the payloads by form and outcome."""
    total = tally.payloads + tally.mutations
    count = total.total()
    rate = f"{count:,} payloads in {seconds:.0f} s ({count / max(seconds, 1e-9):,.0f}/s)"
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(tally.statuses.items()))
    lines = [
        f"{rate}, {tally.rows:,} predictions compared, {len(tally.findings)} findings",
        f"responses by status: {statuses}",
        "",
        f"{'payload':<42}{'valid':>9}" + "".join(f"{outcome:>11}" for outcome in OUTCOMES),
    ]
    forms = sorted({form for form, _ in total})
    lines += [_format_form(form, tally, total) for form in forms]
    return "\n".join(lines)


def _format_form(form: str, tally: Tally, total: Counter[tuple[str, str]]) -> str:
    valid = sum(number for (name, _), number in tally.payloads.items() if name == form)
    cells = "".join(f"{total[form, outcome]:>11,}" for outcome in OUTCOMES)
    return f"{form:<42}{valid:>9,}{cells}"


def write_findings(
    findings: Iterable[Finding], models: Mapping[str, Model], seed: int, folder: Path
) -> None:
    """Write the payload, the artifact and the commands that reproduce findings, and print them.

    Of findings with similar reasons, only the first few are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    similar: Counter[str] = Counter()
    for finding in sorted(findings, key=lambda finding: finding.index):
        kind = VARIABLE_PART.sub("#", finding.reason)[:KIND_CHARACTERS]
        similar[kind] += 1
        if similar[kind] > MAX_SIMILAR:
            continue
        model = models[finding.model]
        artifact = folder / finding.model
        if not artifact.exists():
            shutil.copytree(model.folder, artifact)
        stem = folder / f"{seed}-{finding.index}"
        stem.with_suffix(".payload").write_bytes(finding.payload.body)
        text = describe(finding, model, seed, artifact, stem.with_suffix(".payload"))
        stem.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
        print(text, end="\n\n")


def describe(finding: Finding, model: Model, seed: int, artifact: Path, payload: Path) -> str:
    """Return what is wrong, and the commands that reproduce it."""
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in model.environment.items())
    headers = " ".join(
        f"-H {shlex.quote(f'{name}: {value}')}" for name, value in finding.payload.headers().items()
    )
    sent = finding.payload
    mutation = f", {sent.mutation}" if sent.mutation else ""
    return "\n".join(
        [
            finding.reason.encode(errors="backslashreplace").decode(),
            f"  {sent.form}{mutation}: {json.dumps(sent.body[:120].decode(errors='replace'))}",
            f"  {settings} make serve FOLDER={artifact}".replace("   ", "  "),
            f"  curl {headers} --data-binary @{payload} {URL}",
            f"  python -m tests.adversary.numbers --seed {seed} --index {finding.index}",
        ]
    )
