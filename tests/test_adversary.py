"""`make adversary`: the campaign runs its attacks, and prints the figures of all of them."""

import re
import subprocess
import sys

from tests.support.server import ROOT


def test_campaign_prints_its_figures() -> None:
    """A short campaign ends with code 0, its inputs, its responses by status, and its seed."""
    command = [sys.executable, "-m", "tests.adversary", "--minutes", "0.1", "--seed", "3"]
    command += ["--attack", "identifiers", "--attack", "bit_flips"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    figures = dict(re.findall(r"^(\w[\w ]+?) {2,}(.*)$", outcome.stdout, re.MULTILINE))

    assert outcome.returncode == 0, outcome.stdout
    assert int(figures["inputs"].partition(" ")[0].replace(",", "")) > 10
    assert figures["responses by status"].startswith("200: ")
    assert figures["findings"] == figures["worker deaths"] == figures["tracebacks"] == "0"
    assert figures["failed attacks"] == "none"
    assert figures["seed"].startswith("3 ")


def test_same_seed_repeats_the_same_flips() -> None:
    """Two runs with one seed try the same bits, so a finding can be repeated."""
    command = [sys.executable, "-m", "tests.adversary.bit_flips", "--seconds", "0", "--flips", "8"]
    outcomes = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]

    assert outcomes[0] == outcomes[1]
    assert "8 flips" in outcomes[0]
