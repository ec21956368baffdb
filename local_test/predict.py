"""Posts the sample diamonds to a server with requests; prints each prediction beside its price.

Usage: predict.py [URL]     The default URL is http://127.0.0.1:8080
"""

import csv
import signal
import sys
from pathlib import Path

import requests

FOLDER = Path(__file__).resolve().parent
CONTENT_TYPES = {
    "diamonds.csv": "text/csv",
    "diamonds-header.csv": "text/csv; header=present",
    "diamonds.json": "application/json",
    "diamonds.jsonl": "application/jsonlines",
}


def main() -> None:
    """Post every sample payload to the server at the URL in the first argument."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # exit quietly if piped to head
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    try:
        for payload_name in CONTENT_TYPES:
            print_predictions(url, payload_name)
    except requests.ConnectionError:
        sys.exit(f"cannot connect to {url}: start a server with make serve")


def print_predictions(url: str, payload_name: str) -> None:
    """Post a sample payload, and print the predictions beside the actual prices."""
    content_type = CONTENT_TYPES[payload_name]
    print(
        f"\nPOST {url}/invocations  Content-Type: {content_type}  Accept: text/csv  "
        f"< local_test/payloads/{payload_name}"
    )
    response = requests.post(
        f"{url}/invocations",
        data=(FOLDER / "payloads" / payload_name).read_bytes(),
        headers={"Content-Type": content_type, "Accept": "text/csv"},
        timeout=60,
    )
    status = f"{response.status_code} {response.reason}"
    if response.status_code == requests.codes.bad_request:
        sys.exit(
            f"{response.text.strip()}\nThe payload contains diamonds for the sample model, "
            f"but the server at {url} serves another model. To print a request for your own "
            "model, run make check FOLDER=... SAMPLE=..."
        )
    if not response.ok:
        sys.exit(f"{status}: {response.text}")
    print(f"{status}  Content-Type: {response.headers['Content-Type']}")
    print(f"{'predicted':>12} {'actual price':>12}")
    for prediction, price in zip(response.text.split(), read_prices(), strict=True):
        print(f"{float(prediction):>12,.0f} {price:>12,} US dollars")


def read_prices() -> list[int]:
    """Return the actual prices of the sample diamonds, in US dollars."""
    with (FOLDER / "expected" / "prices.csv").open(encoding="utf-8") as file:
        return [int(row["price"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    main()
