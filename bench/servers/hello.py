"""Hello-world servers, the floor of HTTP: they read the body and send a fixed response."""

from bench.servers.spec import CSV, IMAGE_LOCK, ServerSpec, encode_csv


def _describe(front_end: str) -> ServerSpec:
    return ServerSpec(
        name=f"hello, {front_end}",
        requirements=IMAGE_LOCK,
        packages=("gunicorn", "flask"),
        command=lambda launch: [
            launch.python,
            "-m",
            "bench.programs.hello",
            front_end,
            str(launch.port),
        ],
        path="/invocations",
        bodies={CSV: encode_csv},
        read=None,
    )


ASGI = _describe("asgi")
FLASK = _describe("flask")
