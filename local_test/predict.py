"""Posts the sample diamonds to a server with requests, and prints each prediction beside the true price.

Usage: predict.py [URL], by default http://127.0.0.1:8080
"""

import csv
import signal
import sys
from pathlib import Path

import requests

HERE = Path(__file__).resolve().parent
PAYLOADS = {
    "diamonds.csv": "text/csv",
    "diamonds-header.csv": "text/csv; header=present",
    "diamonds.json": "application/json",
    "diamonds.jsonl": "application/jsonlines",
}


def main() -> None:
    """Post each payload to the server that the first argument names."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever reads the output may stop, as head does
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    try:
        for name in PAYLOADS:
            show(url, name)
    except requests.ConnectionError:
        sys.exit(f"no server answers at {url}: start one with make serve")


def show(url: str, name: str) -> None:
    """Post one payload and print what came back, as predictions beside prices."""
    media_type = PAYLOADS[name]
    print(
        f"\nPOST {url}/invocations  Content-Type: {media_type}  Accept: text/csv  < local_test/payloads/{name}"
    )
    response = requests.post(
        f"{url}/invocations",
        data=(HERE / "payloads" / name).read_bytes(),
        headers={"Content-Type": media_type, "Accept": "text/csv"},
        timeout=60,
    )
    if response.status_code == requests.codes.bad_request:
        sys.exit(
            f"{response.text.strip()}\nThese are diamonds for the sample model, and the server at {url} has another. "
            "For yours, make check FOLDER=... SAMPLE=... prints the request"
        )
    if not response.ok:
        sys.exit(f"{response.status_code} {response.reason}: {response.text}")
    print(
        f"{response.status_code} {response.reason}  Content-Type: {response.headers['Content-Type']}"
    )
    print(f"{'predicted':>12} {'true price':>12}")
    for predicted, price in zip(response.text.split(), true_prices(), strict=True):
        print(f"{float(predicted):>12,.0f} {price:>12,} US dollars")


def true_prices() -> list[int]:
    """Return what the sample diamonds really cost."""
    with (HERE / "expected" / "prices.csv").open(encoding="utf-8") as file:
        return [int(row["price"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    main()
