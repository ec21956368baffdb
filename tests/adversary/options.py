"""The options that every attack has on its command line."""

import argparse


def build_parser(
    attack: str, description: str | None, seconds: float = 10
) -> argparse.ArgumentParser:
    """Return a parser of an attack's duration and seed; ``attack`` is its module."""
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.adversary.{attack}", description=description
    )
    parser.add_argument(
        "--seconds", type=float, default=seconds, help=f"how long to attack ({seconds:g})"
    )
    parser.add_argument("--seed", type=int, default=1, help="what everything is drawn from (1)")
    return parser
