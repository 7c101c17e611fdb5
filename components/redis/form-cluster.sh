#!/bin/sh
# Forms the cluster of three primaries and three replicas. Run again it finds the cluster formed and
# changes nothing; run after a formation that was cut short it starts over, for no data is in it yet.
set -eu

cli() { redis-cli --user admin "$@"; }
name() { echo "$NODE_PREFIX$1$NODE_SUFFIX"; }
fact() { cli -h "$1" cluster info | tr -d '\r' | awk -F : -v key="$2" '$1 == key { print $2 }'; }

last=$((NODES - 1))
addresses=""
for node in $(seq 0 "$last"); do
    host=$(name "$node")
    echo "waiting for $host"
    until [ "$(cli -h "$host" ping 2>/dev/null)" = PONG ]; do sleep 1; done
    addresses="$addresses $(getent hosts "$host" | awk '{ print $1; exit }'):6379"
done

first=$(name 0)
if [ "$(fact "$first" cluster_slots_assigned)" = 16384 ] && [ "$(fact "$first" cluster_known_nodes)" -ge "$NODES" ]; then
    echo "the cluster is formed already"
else
    for node in $(seq 0 "$last"); do
        cli -h "$(name "$node")" flushall >/dev/null 2>&1 || true
        cli -h "$(name "$node")" cluster reset hard >/dev/null
    done
    # shellcheck disable=SC2086 # one word for each address
    cli --cluster create $addresses --cluster-replicas 1 --cluster-yes
fi

for node in $(seq 0 "$last"); do
    until [ "$(fact "$(name "$node")" cluster_state)" = ok ]; do sleep 1; done
done
echo "the cluster of $NODES nodes is ok"
