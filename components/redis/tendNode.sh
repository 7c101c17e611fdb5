#!/bin/sh
# Beside each Redis server. Two duties, every INTERVAL seconds:
#
# Users. The files in AUTH follow the Secret, and Redis reads them at its start only. A changed user is set
# anew in one step, without a restart. ACL LOAD would disconnect every client of Redis 7.0. When a password
# ends, connections from before its successor was accepted end too: whoever holds them may know no other.
#
# Peers, where NODES names the nodes of a cluster. A pod that restarts has a new address; one finds its way
# back alone, but pods that restarted together would look for each other at the old addresses for ever.
# Meeting a peer that is known changes nothing.
#
# NODES: host:port of every node; empty for a server alone. AUTH: folder with users.acl and admin-password.
# HOST, PORT: the server's own, default 127.0.0.1 and 6379. INTERVAL: default 10.
set -euf

# A shell that is process 1 has no default handler, and would hold up the pod's end.
trap 'exit 0' TERM INT

# One that worked: until new users are set, Redis knows the old password only.
password=$(cat "$AUTH/admin-password")
applied='' gained=''

redis() {
    REDISCLI_AUTH=$password redis-cli -e --no-auth-warning --user admin \
        -h "${HOST:-127.0.0.1}" -p "${PORT:-6379}" "$@"
}
try_password() { # The file's, if it works already
    before=$password
    password=$(cat "$AUTH/admin-password")
    redis ping >/dev/null 2>&1 || password=$before
}

hashes_of() { # USER, of lines of users on standard input
    awk -v user="$1" '$2 == user { for (i = 3; i <= NF; i++) if ($i ~ /^#/) print $i }' | sort
}
lacks() { # HASHES OTHER: whether the second lacks a hash of the first
    for hash in $1; do
        case "$2" in *"$hash"*) ;; *) return 0 ;; esac
    done
    return 1
}
disconnect() { # USER ID: its clients that connected before the one with this ID
    redis client list type normal | tr -d '\r' | awk -v user="$1" -v first="$2" '{
        split("", field)
        for (i = 1; i <= NF; i++) { at = index($i, "="); field[substr($i, 1, at - 1)] = substr($i, at + 1) }
        if (field["user"] == user && field["id"] + 0 < first + 0) print field["id"]
    }' | while read -r id; do redis client kill id "$id" >/dev/null || true; done
}
apply_users() { # LINES as in users.acl
    was=$(redis acl list | tr -d '\r') || return 1
    names=' '
    while read -r keyword name rules; do
        [ "$keyword" = user ] || continue
        names="$names$name "
        # shellcheck disable=SC2086 # rules are words, and no patterns: set -f
        redis acl setuser "$name" reset $rules >/dev/null || return 1
    done <<LINES
$1
LINES
    for name in $(redis acl users | tr -d '\r'); do
        case "$names" in *" $name "*) ;; *) redis acl deluser "$name" >/dev/null ;; esac
    done
    try_password
    # Of this connection: IDs grow, where seconds are too coarse for clients that connect at once.
    id=$(redis client id | tr -d '\r')
    for name in $names; do
        old=$(echo "$was" | hashes_of "$name") new=$(echo "$1" | hashes_of "$name")
        if lacks "$new" "$old"; then gained=$id; fi
        if lacks "$old" "$new"; then disconnect "$name" "${gained:-$id}"; fi
    done
    echo "users are set as the Secret has them"
}
tend_users() {
    wanted=$(cat "$AUTH/users.acl" "$AUTH/replication.conf" "$AUTH/admin-password")
    [ "$wanted" != "$applied" ] || return 0
    try_password
    apply_users "$(cat "$AUTH/users.acl")" || return 0
    if [ -n "${NODES:-}" ]; then
        awk '$1 == "masterauth" { printf "%s", $2 }' "$AUTH/replication.conf" |
            redis -x config set masterauth >/dev/null || return 0
    fi
    applied=$wanted
}

lost_a_peer() { # Lines: id address flags primary ping pong epoch link slots…
    redis cluster nodes 2>/dev/null | awk '
        $3 !~ /myself/ && ($3 ~ /fail|noaddr/ || $8 != "connected") { lost = 1 }
        END { exit !lost }'
}
tend_peers() {
    lost_a_peer || return 0
    for node in $NODES; do
        ip=$(getent ahosts "${node%:*}" | awk 'NR == 1 { print $1 }')
        [ -z "$ip" ] || redis cluster meet "$ip" "${node##*:}" >/dev/null 2>&1 || true
    done
}

while :; do
    tend_users || true
    [ -z "${NODES:-}" ] || tend_peers || true
    sleep "${INTERVAL:-10}" &
    wait $!
done
