#!/bin/sh
# Forms a Redis Cluster of three primaries and three replicas, or completes or repairs one. Every step
# asks for the state first and does only what is missing, so that it can be run again at any time.
#
# A node that was a server alone keeps its data: it owns the slots of its keys at first, and gives two thirds
# of them to the other primaries. Zones: each primary in a zone of its own where there are three of them, so
# that no zone holds a quorum; each replica in another zone than its primary. After failovers that is undone,
# and the next run does it again.
#
# NODES: six times host:port. REDISCLI_AUTH: password of the admin user. ZONES: file of lines `host zone`;
# a node that is not in it, or whose zone is "-", may be anywhere. Default: none are known.
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
info() { # NODE FIELD: 0 where it does not answer
    at "$1" cluster info | tr -d '\r' | awk -F: -v field="$2" '$1 == field { print $2; n = 1 } END { if (!n) print 0 }'
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
zone_of() { # NODE
    zone=$(awk -v host="${1%:*}" '$1 == host { print $2 }' "${ZONES:-/dev/null}" 2>/dev/null) || zone=
    echo "${zone:--}"
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
own_line() { at "$1" cluster nodes | tr -d '\r' | awk '$3 ~ /myself/'; }
state() { # Lines, each node asked for itself: node id zone (primary|spare|replica) (primary's id|-) slots
    for each in $NODES; do
        line=$(own_line "$each") || return 1
        echo "$line" | awk -v node="$each" -v zone="$(zone_of "$each")" '{
            role = $3 ~ /slave/ ? "replica" : NF > 8 ? "primary" : "spare"
            slots = 0
            for (i = 9; i <= NF; i++) if ($i !~ /\[/) { n = split($i, range, "-"); slots += range[n] - range[1] + 1 }
            print node, $1, zone, role, $4, slots
        }'
    done
}

# Which three nodes are to have slots: those that have most, and of those without anything to do, one of each
# zone before a second one of any.
choose_primaries() {
    state | sort -k 6,6nr -s | awk '
        $4 == "primary" && taken < 3 { taken += 1; used[$3] += 1; print $1 }
        $4 == "spare" { node[++spares] = $1; zone[spares] = $3 }
        END {
            for (most = 1; most <= 6 && taken < 3; most++)
                for (i = 1; i <= spares && taken < 3; i++) {
                    if (gone[i] || used[zone[i]] >= most) continue
                    gone[i] = 1; taken += 1; used[zone[i]] += 1; print node[i]
                }
        }'
}
covered() { [ "$(info "$1" cluster_slots_assigned)" -eq 16384 ]; }
unowned() { # FIRST LAST: ranges "first last" of slots among these that nobody has
    for each in $NODES; do own_line "$each"; done | awk -v from="$1" -v to="$2" '
        $3 ~ /master/ { for (i = 9; i <= NF; i++) if ($i !~ /\[/) {
            n = split($i, range, "-"); for (s = range[1] + 0; s <= range[n] + 0; s++) owned[s] = 1
        } }
        END { for (s = from; s <= to + 1; s++) {
            if (s <= to && !(s in owned)) { if (first == "") first = s }
            else if (first != "") { print first, s - 1; first = "" }
        } }'
}
cover() { # Each primary gets what nobody has of its third; what a server alone had moves later.
    index=0
    for each in $primaries; do
        slots=$(unowned $((index * 16384 / 3)) $(((index + 1) * 16384 / 3 - 1)))
        # shellcheck disable=SC2086 # numbers
        [ -z "$slots" ] || at "$each" cluster addslotsrange $slots >/dev/null || return 1
        index=$((index + 1))
    done
    covered "$1"
}

half_moved() { for each in $NODES; do own_line "$each"; done | grep -q '\['; }
is_chosen() { case " $(echo "$primaries" | tr '\n' ' ')" in *" $1 "*) ;; *) return 1 ;; esac; }
uneven() { # Whether a primary has less than three quarters of its share, or any other node has slots
    state | while read -r node _ _ _ _ slots; do
        if is_chosen "$node"; then [ "$slots" -ge 4096 ] || echo "$node"; else [ "$slots" -eq 0 ] || echo "$node"; fi
    done | grep -q .
}
weights() { # Of nodes that are to become replicas: they give away what they have, and get nothing.
    state | while read -r node id _ role _; do
        if ! is_chosen "$node" && [ "$role" != replica ]; then echo "$id=0"; fi
    done
}
cluster() { # COMMAND NODE OPTION…: what redis-cli does with all nodes of a cluster
    said=$(redis-cli --no-auth-warning --user admin --cluster "$@" 2>&1) || echo "$said" | tail -n 5
}
balance() { # Slots move with the data in them; what was cut off is finished first.
    if half_moved; then cluster fix "$1" --cluster-yes; return 1; fi
    uneven || return 0
    excluded=$(weights)
    # shellcheck disable=SC2086 # a list
    cluster rebalance "$1" --cluster-use-empty-masters --cluster-pipeline 200 \
        ${excluded:+--cluster-weight $excluded}
    return 1
}

# The best places of all nodes but the primaries: as many at each primary, in another zone, and where they
# are. Lines of those to change: node primary's id.
plan_replicas() {
    state | awk '
        function place(i, cost,   j) {
            if (i > replicas) {
                for (j = 1; j <= primaries; j++) cost += 100 * count[j] ^ 2
                if (best == "" || cost < best) { best = cost; for (j in at) wanted[j] = at[j] }
                return
            }
            for (j = 1; j <= primaries; j++) {
                at[i] = j; count[j] += 1
                place(i + 1, cost + 10 * (zone[i] != "-" && zone[i] == primary_zone[j]) + (now[i] != id[j]))
                count[j] -= 1
            }
        }
        $4 == "primary" { id[++primaries] = $2; primary_zone[primaries] = $3 }
        $4 != "primary" { node[++replicas] = $1; zone[replicas] = $3; now[replicas] = $5 }
        END {
            if (!primaries) exit
            place(1, 0)
            for (i = 1; i <= replicas; i++) if (id[wanted[i]] != now[i]) print node[i], id[wanted[i]]
        }'
}
placed() { # A node takes a moment to know the primary that it is to follow.
    changes=$(plan_replicas)
    [ -n "$changes" ] || return 0
    echo "$changes" | while read -r replica primary; do
        at "$replica" cluster replicate "$primary" >/dev/null || true
    done
    return 1
}

# A replica that has to take over from its primary, whose zone holds another primary too.
plan_failover() {
    state | awk '
        $4 == "primary" { zone_of[$2] = $3; held[$3] += 1 }
        $4 == "replica" { node[++replicas] = $1; zone[replicas] = $3; primary[replicas] = $5 }
        END {
            for (i = 1; i <= replicas; i++) {
                from = zone_of[primary[i]]
                if (zone[i] == "-" || from == "-" || from == "" || held[zone[i]] + 1 >= held[from]) continue
                print node[i]
                exit
            }
        }'
}
spread() {
    replica=$(plan_failover)
    [ -n "$replica" ] || return 0
    at "$replica" cluster failover >/dev/null || true
    sleep 2
    return 1
}

retry "all six nodes answer" answers
retry "all six nodes know each other" acquainted "$1"
primaries=$(choose_primaries)
retry "every slot has a primary" cover "$1"
retry "three primaries share the slots" balance "$1"
retry "every replica has its place" placed
forget_strangers
retry "every node sees three primaries and three replicas" settled
retry "no zone holds more primaries than it must" spread
