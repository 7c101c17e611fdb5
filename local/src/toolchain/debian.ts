import { existsSync } from "node:fs";
import { run, type Step } from "../shell.ts";

/** Packages by a file that shows whether they are installed. */
const PACKAGES: Readonly<Record<string, string>> = {
    containerd: "/usr/bin/containerd",
    runc: "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    iptables: "/usr/sbin/iptables",
    ipset: "/usr/sbin/ipset",
    iproute2: "/usr/sbin/ip",
    conntrack: "/usr/sbin/conntrack",
    buildah: "/usr/bin/buildah",
    mmdebstrap: "/usr/bin/mmdebstrap",
};

/** Installs what is missing, without starting any service of it. */
export async function installDebianPackages(step: Step): Promise<void> {
    const missing = Object.keys(PACKAGES).filter((name) => !existsSync(PACKAGES[name] ?? ""));
    if (missing.length === 0) return;
    step.report(`installing ${missing.join(", ")}`);
    // The service of a package must not start on the host, which each init system prevents differently.
    const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", SYSTEMD_OFFLINE: "1" };
    await run(step, "apt-get", ["update", "-q"], { env });
    await run(step, "apt-get", ["install", "-y", "-q", "--no-install-recommends", ...missing], {
        env,
        doing: `installing the Debian packages ${missing.join(", ")}`,
    });
}
