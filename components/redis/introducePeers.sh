#!/bin/sh
# Beside each node of the cluster: when the node has lost a peer, tells it where that peer is now. A pod
# that restarts has a new address; one finds its way back alone, but pods that restarted together would
# look for each other at the old addresses for ever. Meeting a peer that is known changes nothing.
#
# NODES: host:port of every node. REDISCLI_AUTH: password of the admin user. HOST, PORT: the node's own,
# default 127.0.0.1 and 6379. INTERVAL: seconds between two looks, default 10.
set -eu

# A shell that is process 1 has no default handler, and would hold up the pod's end.
trap 'exit 0' TERM INT

cluster() {
    redis-cli -e --no-auth-warning --user admin -h "${HOST:-127.0.0.1}" -p "${PORT:-6379}" cluster "$@"
}
lost_a_peer() { # Lines: id address flags primary ping pong epoch link slots…
    cluster nodes 2>/dev/null | awk '
        $3 !~ /myself/ && ($3 ~ /fail|noaddr/ || $8 != "connected") { lost = 1 }
        END { exit !lost }'
}

while :; do
    if lost_a_peer; then
        for node in $NODES; do
            ip=$(getent ahosts "${node%:*}" | awk 'NR == 1 { print $1 }')
            [ -z "$ip" ] || cluster meet "$ip" "${node##*:}" >/dev/null 2>&1 || true
        done
    fi
    sleep "${INTERVAL:-10}" &
    wait $!
done
