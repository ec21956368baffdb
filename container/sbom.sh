#!/bin/sh
# Prints the image's software bill of materials as CycloneDX JSON: the packages that
# container/requirements.txt installs into the Dockerfile's base image, and the kernel.
# Usage: sbom.sh, from the project's root; `make sbom` runs it.
set -eu
base=$(sed -n 's/^FROM \(.*\) AS base$/\1/p' Dockerfile)
exec docker run --rm --interactive \
    --volume "$PWD/container/requirements.txt:/locks/image.txt:ro" \
    --volume "$PWD/tests/requirements-sbom.txt:/locks/sbom.txt:ro" \
    --volume "$PWD/container/sbom_kernel.py:/sbom_kernel.py:ro" \
    --volume "$PWD/serve/__init__.py:/serve/__init__.py:ro" \
    --volume "$PWD/pyproject.toml:/pyproject.toml:ro" --entrypoint sh "$base" -eu -c '
    for name in image sbom; do
        python3 -m venv /$name
        /$name/bin/python -m pip install --quiet --disable-pip-version-check \
            --require-hashes --only-binary :all: -r /locks/$name.txt >&2
    done
    /image/bin/python -m pip uninstall --quiet --yes pip >&2
    /sbom/bin/cyclonedx-py environment --output-reproducible --pyproject /pyproject.toml \
        --mc-type application /image/bin/python > /sbom.json
    python3 /sbom_kernel.py /sbom.json'
