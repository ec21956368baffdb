"""The floors of HTTP: a server that reads the body and answers a few fixed bytes."""

from bench.peers.peer import CSV, OURS, Peer, csv_of


def _peer(door: str) -> Peer:
    return Peer(
        name=f"hello, {door}",
        requirements=OURS,
        packages=("gunicorn", "flask"),
        command=lambda launch: [
            launch.python,
            "-m",
            "bench.programs.hello",
            door,
            str(launch.port),
        ],
        path="/invocations",
        bodies={CSV: csv_of},
        read=None,
    )


LEAN = _peer("lean")
FLASK = _peer("flask")
