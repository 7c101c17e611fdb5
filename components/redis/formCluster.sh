#!/bin/sh
# Forms a Redis Cluster of three primaries and three replicas, or completes or repairs one. Every step
# asks for the state first and does only what is missing, so that it can be run again at any time.
#
# NODES: six times host:port, the primaries first. REDISCLI_AUTH: password of the admin user.
set -eu

# shellcheck disable=SC2086 # NODES is a list
set -- $NODES
[ "$#" -eq 6 ] || { echo "NODES names $# nodes; allowed: 6" >&2; exit 1; }

at() { # NODE COMMAND…
    node=$1
    shift
    redis-cli -e --no-auth-warning --user admin -h "${node%:*}" -p "${node##*:}" "$@"
}
address() { # NODE: "ip port", since CLUSTER MEET takes no names
    ip=$(getent ahosts "${1%:*}" | awk 'NR == 1 { print $1 }')
    [ -n "$ip" ] || { echo "no address for ${1%:*} yet" >&2; return 1; }
    echo "$ip ${1##*:}"
}
info() { # NODE FIELD
    at "$1" cluster info | tr -d '\r' | awk -F: -v field="$2" '$1 == field { print $2 }'
}
retry() { # WHAT COMMAND…
    what=$1 left=120
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "gave up waiting until $what" >&2; exit 1; }
        sleep 1
    done
    echo "$what"
}

answers() { for each in $NODES; do at "$each" ping >/dev/null 2>&1 || return 1; done; }
meet() {
    for each in $NODES; do
        where=$(address "$each") || return 1
        # shellcheck disable=SC2086 # two words
        at "$1" cluster meet $where >/dev/null || return 1
    done
}
acquainted() { # Meeting again is harmless, and needed where a node came back with another address.
    for each in $NODES; do
        [ "$(info "$each" cluster_known_nodes)" -ge 6 ] || { meet "$1"; return 1; }
    done
}
covered() { [ "$(info "$1" cluster_slots_assigned)" -eq 16384 ]; }

# Lines of CLUSTER NODES: id address flags primary ping pong epoch link slots…
forget_strangers() { # A node that lost its volume comes back as another, and the old one is awaited for
    # ever. One that still has slots is left to its replica, which takes them over first.
    ids=$(for each in $NODES; do at "$each" cluster myid; done | tr -d '\r')
    for each in $NODES; do
        at "$each" cluster nodes | awk 'NF == 8 { print $1 }' | grep -vF "$ids" | while read -r stranger; do
            at "$each" cluster forget "$stranger" >/dev/null
        done
    done
}
settled() { # Every node sees a whole cluster: gossip takes a moment to reach the last one.
    for each in $NODES; do
        [ "$(info "$each" cluster_state)" = ok ] || return 1
        at "$each" cluster nodes | awk '
            $3 ~ /slave/ { replicas += 1 }
            $3 ~ /fail|handshake|noaddr/ { lost += 1 }
            END { exit !(NR == 6 && replicas == 3 && !lost) }' || return 1
    done
}
own_line() { at "$1" cluster nodes | awk '$3 ~ /myself/'; }
is_spare() { own_line "$1" | awk '{ exit !($3 ~ /master/ && NF == 8) }'; }
neediest_primary() { # The primary with slots that has the fewest replicas, each node asked for itself.
    for each in $NODES; do own_line "$each"; done | awk '
        $3 ~ /master/ && NF > 8 { primaries[$1] = 1 }
        $3 ~ /slave/ { replicas[$4] += 1 }
        END {
            for (id in primaries) if (best == "" || replicas[id] + 0 < replicas[best] + 0) best = id
            print best
        }'
}
assign() { # NODE FIRST LAST: unless an interrupted run has done it
    if is_spare "$1"; then at "$1" cluster addslotsrange "$2" "$3" >/dev/null; fi
}
follow() { # NODE: a node without slots becomes a replica
    is_spare "$1" || return 0
    primary=$(neediest_primary)
    [ -n "$primary" ] && at "$1" cluster replicate "$primary" >/dev/null
}

retry "all six nodes answer" answers
retry "all six nodes know each other" acquainted "$1"
if ! covered "$1"; then
    assign "$1" 0 5460
    assign "$2" 5461 10922
    assign "$3" 10923 16383
fi
retry "every slot has a primary" covered "$1"
for spare in "$@"; do retry "$spare has its place" follow "$spare"; done
forget_strangers
retry "every node sees three primaries and three replicas" settled
