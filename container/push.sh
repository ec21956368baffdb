#!/bin/sh
# Pushes the image of the current commit to ECR or another registry, and prints its digest.
# Usage: push.sh REPOSITORY IMAGE VERSION REVISION ARCH, which `make push REPOSITORY=...` runs.
set -eu
repository=$1 image=$2 version=$3 revision=$4 arch=$5
fail() { echo "cannot push: $*" >&2; exit 1; }

[ -n "$repository" ] ||
    fail "REPOSITORY is not set: make push REPOSITORY=ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME"
command -v docker >/dev/null || fail "docker is not installed"
[ -z "$(git status --porcelain)" ] ||
    fail "the working tree has uncommitted changes; commit them, because the tag names the revision"
revision_label='{{index .Config.Labels "org.opencontainers.image.revision"}}'
image_revision=$(docker image inspect --format "$revision_label" "$image" 2>/dev/null) ||
    fail "image $image does not exist; build it with: make image"
[ "$image_revision" = "$revision" ] ||
    fail "image $image is revision $image_revision, expected $revision; rebuild it with: make image"

host=${repository%%/*}
# The password is only for ECR itself, not for a name such as ECR.amazonaws.com.example.org.
ecr='^[0-9]{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.(com|com\.cn|eu)$'
case $host in
*.dkr.ecr.* | *.dkr.ecr-fips.*)
    printf '%s' "$host" | tr '\n' ' ' | grep -Eq "$ecr" ||
        fail "$host is not a registry of ECR: expected ACCOUNT.dkr.ecr.REGION.amazonaws.com"
    command -v aws >/dev/null || fail "the AWS CLI is not installed, which the ECR login needs"
    region=${host#*.dkr.ecr*.}
    aws ecr get-login-password --region "${region%%.*}" |
        docker login --username AWS --password-stdin "$host" >/dev/null ||
        fail "login to $host failed; check the AWS credentials and ecr:GetAuthorizationToken"
    ;;
esac

target=$repository:$version-$revision-$arch
if docker manifest inspect --insecure "$target" >/dev/null 2>&1; then
    fail "$target already exists, and tags are immutable"
fi
docker tag "$image" "$target"
docker push --quiet "$target" >/dev/null ||
    fail "pushing to $host failed; check that $repository exists and that you may push to it"
docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$target" |
    grep "^$repository@"
