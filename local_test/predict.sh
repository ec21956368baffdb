#!/bin/sh
# Posts the sample diamonds to a server with curl, and prints each prediction beside the true price.
# Usage: predict.sh [URL], by default http://127.0.0.1:8080
set -eu
url=${1:-http://127.0.0.1:8080}
here=$(dirname "$0")

post() {
    printf '\n%s as %s: predicted, true price\n' "$1" "$2"
    curl --silent --show-error --fail-with-body --data-binary "@$here/payloads/$1" \
        --header "Content-Type: $2" --header 'Accept: text/csv' "$url/invocations" >"$reply" ||
        { cat "$reply"; echo 'These are diamonds for the sample model: does the server have another, or does none run?' >&2; exit 1; }
    tail -n +2 "$here/expected/prices.csv" | paste -d ' ' "$reply" -
}

reply=$(mktemp)
trap 'rm -f "$reply"' EXIT
post diamonds.csv text/csv
post diamonds-header.csv 'text/csv; header=present'
post diamonds.json application/json
post diamonds.jsonl application/jsonlines
