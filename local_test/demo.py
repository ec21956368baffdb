"""Run the main job: start the server on the sample model, predict real diamonds, and stop it."""

import sys

from container.local_server import SAMPLE_ARTIFACT, NotServing, serving, stop_on_sigterm
from local_test.predict import print_predictions


def main() -> None:
    """Run the demonstration; exit with code 1 if the server does not start, answer or stop."""
    stop_on_sigterm()
    print(f"Starting container/entrypoint.py serve with SM_MODEL_DIR={SAMPLE_ARTIFACT}")
    try:
        with serving() as server:
            print(f"GET {server.url}/ping: 200 after {server.seconds_until_ready:.1f} s")
            print_predictions(server.url, "diamonds.csv")
            print_predictions(server.url, "diamonds.json")
    except NotServing as error:
        sys.exit(str(error))
    print(f"\nStopped the server: exit code {server.process.returncode}")
    sys.exit(server.process.returncode)


if __name__ == "__main__":
    main()
