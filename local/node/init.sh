#!/usr/bin/env bash
# The node's first process, in pid, mount and network namespaces of its own: when it ends, all of it ends.
# Reads BIN (Kubernetes' binaries), ETCD and KUBE_ROUTER (theirs), DATA (the node's folder), FIREWALL (a folder
# with the iptables of kube-router) and the addresses from its environment, and the files that
# local/src/node/configuration.ts wrote.
set -euo pipefail

mount -t proc proc /proc
# Sandboxes' network namespaces and sockets live and die with the node.
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock /var/lib/cni
mount -t tmpfs tmpfs /var/lib/cni

PKI=$DATA/pki
# If a service exits, the node is broken: its log has the reason, and the node is recreated.
run() { local name=$1; shift; "$@" > "$DATA/log/$name.log" 2>&1 < /dev/null & }

run etcd "$ETCD/etcd" --data-dir "$DATA/etcd" \
  --listen-client-urls https://127.0.0.1:2379 --advertise-client-urls https://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --client-cert-auth --trusted-ca-file "$PKI/etcd/ca.crt" \
  --cert-file "$PKI/etcd/server.crt" --key-file "$PKI/etcd/server.key" \
  --unsafe-no-fsync # the node's state never outlives the machine's power

run containerd containerd -c "$DATA/containerd.toml"

run kube-apiserver "$BIN/kube-apiserver" \
  --advertise-address="$NODE_ADDRESS" --bind-address="$NODE_ADDRESS" --secure-port=6443 \
  --etcd-servers=https://127.0.0.1:2379 --etcd-cafile="$PKI/etcd/ca.crt" \
  --etcd-certfile="$PKI/apiserver-etcd-client.crt" --etcd-keyfile="$PKI/apiserver-etcd-client.key" \
  --client-ca-file="$PKI/ca.crt" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
  --service-account-issuer=https://kubernetes.default.svc \
  --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
  --service-cluster-ip-range="$SERVICE_CIDR" --authorization-mode=Node,RBAC \
  --enable-admission-plugins=NodeRestriction --allow-privileged=true \
  --kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" \
  --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
  --kubelet-preferred-address-types=InternalIP \
  --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
  --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
  --requestheader-username-headers=X-Remote-User \
  --proxy-client-cert-file="$PKI/front-proxy-client.crt" --proxy-client-key-file="$PKI/front-proxy-client.key"

run kube-controller-manager "$BIN/kube-controller-manager" \
  --kubeconfig="$DATA/controller-manager.conf" --authentication-kubeconfig="$DATA/controller-manager.conf" \
  --authorization-kubeconfig="$DATA/controller-manager.conf" --use-service-account-credentials=true \
  --root-ca-file="$PKI/ca.crt" --client-ca-file="$PKI/ca.crt" \
  --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" \
  --service-account-private-key-file="$PKI/sa.key" \
  --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
  --cluster-cidr="$POD_CIDR" --allocate-node-cidrs=true --service-cluster-ip-range="$SERVICE_CIDR" \
  --leader-elect=false --bind-address=127.0.0.1

run kube-scheduler "$BIN/kube-scheduler" \
  --kubeconfig="$DATA/scheduler.conf" --authentication-kubeconfig="$DATA/scheduler.conf" \
  --authorization-kubeconfig="$DATA/scheduler.conf" --leader-elect=false --bind-address=127.0.0.1

# The kubelet wants the runtime's socket, and gives up without it.
until [ -S "$DATA/containerd/containerd.sock" ]; do sleep 0.1; done
run kubelet "$BIN/kubelet" --config="$DATA/kubelet.yaml" --kubeconfig="$DATA/kubelet.conf" \
  --node-ip="$NODE_ADDRESS" --hostname-override=local --root-dir="$DATA/kubelet" --cert-dir="$DATA/kubelet-pki"

run kube-proxy "$BIN/kube-proxy" --config="$DATA/kube-proxy.yaml"

# Enforces NetworkPolicies. It ends where a call of iptables fails, or the node is not registered yet.
run kube-router env PATH="$FIREWALL:$PATH" bash -c 'until "$@"; do sleep 0.5; done' restart \
  "$KUBE_ROUTER/kube-router" --kubeconfig="$DATA/super-admin.conf" --hostname-override=local \
  --run-firewall=true --run-router=false --run-service-proxy=false --service-cluster-ip-range="$SERVICE_CIDR" \
  --iptables-sync-period=1m --health-addr="$NODE_ADDRESS" --health-port="$HEALTH_PORT"

wait
