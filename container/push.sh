#!/bin/sh
# Pushes the image of this very commit to a registry, ECR or another, and prints its digest.
# Usage: push.sh REPOSITORY IMAGE VERSION REVISION ARCH; make push REPOSITORY=... knows the rest.
set -eu
repository=$1 image=$2 version=$3 revision=$4 arch=$5
fail() { echo "cannot push: $*" >&2; exit 1; }

[ -n "$repository" ] || fail "name the repository: make push REPOSITORY=ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME"
command -v docker >/dev/null || fail "there is no docker here"
[ -z "$(git status --porcelain)" ] || fail "the tree has changes that are not committed: a tag must say what is in the image"
built=$(docker image inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$image" 2>/dev/null) ||
    fail "there is no image $image: make image"
[ "$built" = "$revision" ] || fail "the image $image is of revision $built, not of $revision: make image"

host=${repository%%/*}
case $host in
*.dkr.ecr.*.amazonaws.com*)
    command -v aws >/dev/null || fail "to log in to ECR, the AWS CLI is needed"
    region=${host#*.dkr.ecr.}
    aws ecr get-login-password --region "${region%%.*}" | docker login --username AWS --password-stdin "$host" >/dev/null ||
        fail "no login to $host: are there credentials, and may they ecr:GetAuthorizationToken?"
    ;;
esac

target=$repository:$version-$revision-$arch
if docker manifest inspect --insecure "$target" >/dev/null 2>&1; then
    fail "$target is there already, and a tag never changes its image"
fi
docker tag "$image" "$target"
docker push --quiet "$target" >/dev/null || fail "$host took no image: is there a repository $repository, and may it be pushed to?"
docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$target" | grep "^$repository@"
