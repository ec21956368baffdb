# The only place that names the base image.
FROM python:3.13-slim-trixie AS base

# The kernel is compiled here, so the image needs no compiler.
FROM base AS kernel
RUN apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends gcc libc6-dev
COPY kernel kernel
RUN kernel/build.sh python3 kernel/build

FROM base AS build
WORKDIR /opt/xgb-endpoint
COPY container/requirements.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-compile --disable-pip-version-check --require-hashes --only-binary :all: --root-user-action ignore \
        --requirement requirements.txt
COPY container container
COPY serve serve
COPY --from=kernel /kernel/build/_forest.abi3.so kernel/build/
COPY LICENSE ./
# Remove what the server never uses (pip, tests, headers), and compile the rest to bytecode.
RUN python container/image_build.py && rm -rf container/image_build.py container/requirements.* requirements.txt /root/.cache

# A single layer: files that were removed in a later layer would still be pulled at every start.
FROM scratch
COPY --from=build / /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_TRIM_THRESHOLD_=8388608
WORKDIR /opt/xgb-endpoint
EXPOSE 8080
ENTRYPOINT ["python3", "/opt/xgb-endpoint/container/entrypoint.py"]
CMD ["serve"]
ARG VERSION=0
ARG REVISION=unknown
LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port="true" \
      org.opencontainers.image.title="xgb-endpoint" \
      org.opencontainers.image.description="Serves an XGBoost model over SageMaker's inference contract" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
