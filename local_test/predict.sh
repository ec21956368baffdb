#!/bin/sh
# Posts the sample diamonds to a server with curl; prints each prediction beside its price.
# Usage: predict.sh [URL]     The default URL is http://127.0.0.1:8080
set -eu
url=${1:-http://127.0.0.1:8080}
folder=$(dirname "$0")

post() {
    printf '\n%s as %s: predicted, actual price\n' "$1" "$2"
    curl --silent --show-error --fail-with-body --data-binary "@$folder/payloads/$1" \
        --header "Content-Type: $2" --header 'Accept: text/csv' "$url/invocations" >"$response" ||
        fail
    tail -n +2 "$folder/expected/prices.csv" | paste -d ' ' "$response" -
}

fail() {
    cat "$response"
    echo "The payload contains diamonds for the sample model: check that $url serves it" >&2
    exit 1
}

response=$(mktemp)
trap 'rm -f "$response"' EXIT
post diamonds.csv text/csv
post diamonds-header.csv 'text/csv; header=present'
post diamonds.json application/json
post diamonds.jsonl application/jsonlines
