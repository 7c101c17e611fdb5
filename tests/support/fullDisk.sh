#!/usr/bin/env bash
# containerd and a kubelet without an API server, on a file system that is 90 % full. Ends when no image is left, or when
# the kubelet's log has all of DECISION, one text a line, in this order. Prints the images that are left.
# Usage: fullDisk.sh FOLDER KUBELET KUBELET_SETTINGS DECISION ARCHIVE…
# All of it lives in pid, mount and network namespaces of its own, and ends with them.
set -euo pipefail

if [ "${ISOLATED:-}" != yes ]; then
  ISOLATED=yes exec unshare --mount --propagation private --pid --fork --net --kill-child bash "$0" "$@"
fi

folder=$1 kubelet=$2 settings=$3 decision=$4
shift 4
disk=$folder/disk
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mkdir -p "$disk"
mount -t tmpfs -o size=200m tmpfs "$disk"
ip link set lo up

cat > "$folder/containerd.toml" <<EOF
version = 2
root = "$disk/root"
state = "$disk/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "$disk/containerd.sock"
EOF
containerd -c "$folder/containerd.toml" > "$folder/containerd.log" 2>&1 &
images() { ctr --address "$disk/containerd.sock" -n k8s.io images "$@"; }
until images list > /dev/null 2>&1; do sleep 0.2; done
for archive in "$@"; do images import "$archive" > /dev/null; done
head -c "$(($(df --output=size -B1 "$disk" | tail -1) * 9 / 10 - $(df --output=used -B1 "$disk" | tail -1)))" \
  /dev/zero > "$disk/fill"

# JSON is YAML: these settings are the kubelet's own, with what the test gives. No image is too young for the first
# collection, which may be the one that detects it: the second is five minutes later.
cat > "$folder/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {webhook: {enabled: false}, anonymous: {enabled: true}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
containerRuntimeEndpoint: unix://$disk/containerd.sock
podLogsDir: $disk/pod-logs
failSwapOn: false
address: 127.0.0.1
resolvConf: ""
imageMinimumGCAge: -1ms
$settings
EOF
"$kubelet" --config="$folder/kubelet.yaml" --root-dir="$disk/kubelet" --cert-dir="$disk/certificates" \
  --hostname-override=full-disk -v 3 > "$folder/kubelet.log" 2>&1 &
pid=$!
# Images are also left by a kubelet that has not yet looked at its disk.
decided() {
  local text line
  [ -n "$decision" ] && text=$(< "$folder/kubelet.log") || return 1
  while read -r line; do
    [[ $text == *"$line"* ]] || return 1
    text=${text#*"$line"}
  done <<< "$decision"
}
left=$(images list -q)
until [ -z "$left" ] || decided; do
  kill -0 "$pid" && [ "$SECONDS" -lt 900 ] || { tail -5 "$folder/kubelet.log" >&2; exit 1; }
  sleep 1
  left=$(images list -q)
done
images list -q
