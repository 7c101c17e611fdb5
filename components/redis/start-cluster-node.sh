#!/bin/sh
# Starts one node of the cluster. A pod comes back with another address; its peers may have new ones
# too, and when all of them restarted at once nobody knows anybody: so a node that was a member before
# introduces itself to every peer by name. Meeting a known node changes nothing.
set -eu

introduce() {
    until [ "$(redis-cli --user admin ping 2>/dev/null)" = PONG ]; do sleep 1; done
    node=0
    while [ "$node" -lt "$NODES" ]; do
        address=$(getent hosts "$NODE_PREFIX$node$NODE_SUFFIX" | awk '{ print $1; exit }')
        [ -z "$address" ] || redis-cli --user admin cluster meet "$address" 6379 || true
        node=$((node + 1))
    done
}

if [ "$(grep -c '@16379' /data/nodes.conf 2>/dev/null)" -gt 1 ]; then
    introduce &
fi

exec redis-server /etc/redis/redis.conf \
    --cluster-announce-ip "$POD_IP" \
    --cluster-announce-hostname "$POD_NAME$NODE_SUFFIX"
