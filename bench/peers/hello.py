"""The floors of HTTP: a server that reads the body and answers a few fixed bytes."""

from bench.peers.peer import CSV, OURS, Peer, csv_of


def _peer(front_end: str) -> Peer:
    return Peer(
        name=f"hello, {front_end}",
        requirements=OURS,
        packages=("gunicorn", "flask"),
        command=lambda launch: [
            launch.python,
            "-m",
            "bench.programs.hello",
            front_end,
            str(launch.port),
        ],
        path="/invocations",
        bodies={CSV: csv_of},
        read=None,
    )


LEAN = _peer("asgi")
FLASK = _peer("flask")
