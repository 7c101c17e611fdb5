#!/usr/bin/env bash
# Builds an image, pushes it and signs it by its digest: once for each content. What the image is built from gives
# it a tag; where the registry has that tag, its image is taken, if our workflow has signed it.
#
#   publish.sh REPOSITORY [WORKSPACE]
#                             such as ghcr.io/acme/embedding-service; the login is docker's own
#                             WORKSPACE: app (the service, by default), insights or examples/property-search
#   publish.sh --verify IMAGE  fails unless the image, by its digest, is signed by our workflow
#
# Signatures are keyless (https://docs.sigstore.dev/cosign/signing/overview/): whoever runs this signs as the
# workflow that it runs in. SIGNER: regular expression of the identities that may have signed; default: the
# workflow deploy.yml of GITHUB_REPOSITORY on main. GITHUB_OUTPUT: file that gets image= and version=.
set -euo pipefail
cd "$(dirname "$0")/.."

ISSUER=https://token.actions.githubusercontent.com

verify() { # IMAGE
    local workflow="https://github.com/${GITHUB_REPOSITORY:-}/.github/workflows/deploy.yml@refs/heads/main"
    local signer=${SIGNER:-"^${workflow//./\\.}$"}
    [ -n "${SIGNER:-}${GITHUB_REPOSITORY:-}" ] || {
        echo "SIGNER is not set; allowed: a regular expression of who may have signed" >&2
        return 1
    }
    cosign verify --certificate-oidc-issuer "$ISSUER" --certificate-identity-regexp "$signer" "$1" >/dev/null || return 1
    echo "$1 is signed by $signer"
}

if [ "${1:-}" = --verify ]; then
    [[ ${2:-} =~ @sha256:[0-9a-f]{64}$ ]] || {
        echo "IMAGE is \"${2:-}\"; allowed: an image by its digest, name@sha256:…" >&2
        exit 1
    }
    verify "$2"
    exit
fi

repository=${1:-}
repository=${repository,,}
workspace=${2:-app}
[[ $workspace =~ ^(app|insights|examples/property-search)$ ]] || {
    echo "WORKSPACE is \"$workspace\"; allowed: app, insights, examples/property-search" >&2
    exit 1
}
sources=("$workspace"/{Dockerfile,package.json,src} contract/package.json contract/src
    package.json package-lock.json .npmrc .dockerignore THIRD_PARTY.md)
if [ "$workspace" = app ]; then sources+=(app/model); fi
# A first part without a dot or a port is no registry to docker, but a user of docker.io.
[[ $repository =~ ^([a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?|[a-z0-9-]+:[0-9]+|localhost)(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$ ]] || {
    echo "REPOSITORY is \"${1:-}\"; allowed: a registry and a name, without a tag, such as ghcr.io/acme/service" >&2
    exit 1
}
if ! docker buildx version >/dev/null 2>&1; then
    echo "docker buildx is missing: install Docker and its plugin buildx, then run make image again" >&2
    exit 1
fi
changed=$(git status --porcelain -- "${sources[@]}")
[ -z "$changed" ] || { echo "what the image is built from is not committed:"$'\n'"$changed" >&2; exit 1; }
content=$(git ls-tree HEAD "${sources[@]}" | sha256sum | cut -c1-12)
tag=$repository:src-$content
version=v$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$workspace/package.json" | head -n 1)-$content

digest=$(docker buildx imagetools inspect "$tag" --format '{{.Manifest.Digest}}' 2>/dev/null) || digest=
# What somebody else has pushed under the tag is never signed, and neither is what a run that was cut off left.
if [ -n "$digest" ] && verify "$repository@$digest"; then
    echo "$tag is there already"
else
    metadata=$(mktemp)
    trap 'rm -f "$metadata"' EXIT
    docker buildx build --file "$workspace/Dockerfile" --tag "$tag" --provenance=mode=max --sbom=true \
        --metadata-file "$metadata" --push .
    digest=$(sed -n 's/.*"containerimage\.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$metadata")
    [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "the build told no digest: $(cat "$metadata")" >&2; exit 1; }
    cosign sign --yes "$repository@$digest"
    # The list that buildx attaches has the Debian packages, this one the licences and the model.
    sboms=$(mktemp -d)
    make sbom OUT="$sboms" >/dev/null
    cosign attest --yes --type cyclonedx --predicate "$sboms/$workspace.cdx.json" "$repository@$digest"
    rm -r "$sboms"
fi
image=$repository@$digest
echo "image=$image"
echo "version=$version"
if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'image=%s\nversion=%s\n' "$image" "$version" >>"$GITHUB_OUTPUT"; fi
