import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { digest, digestFiles, once } from "../content.ts";
import { PATHS, REPOSITORY } from "../paths.ts";
import { run, tryRun, type Step } from "../shell.ts";

/** A program built from the Go module proxy: a folder with go.mod, go.sum and a main package. */
export interface GoProgram {
    /** Folder below local/toolchain, and the binary's name. */
    readonly name: string;
    /** Its main package, where that is not the folder's own but one of a module that go.mod names. */
    readonly main?: string;
    /** Other names under which the binary is called. */
    readonly links?: readonly string[];
    /** Values of -X for the linker. */
    readonly variables?: Readonly<Record<string, string>>;
    /**
     * Of a module that must be built in its own folder, because it pins what it uses by `replace`, which
     * go heeds in the main module alone: its packages, by the name of the binary. The module's hash pins
     * its go.sum.
     */
    readonly own?: { readonly module: string; readonly packages: Readonly<Record<string, string>> };
}

const VERSION = "k8s.io/component-base/version";

export const KUBERNETES: GoProgram = {
    name: "kubernetes",
    links: [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubeadm",
        "kubectl",
        "kubelet",
    ],
    variables: {
        [`${VERSION}.gitVersion`]: "v1.34.4",
        [`${VERSION}.gitMajor`]: "1",
        [`${VERSION}.gitMinor`]: "34",
    },
};
export const ETCD: GoProgram = { name: "etcd" };
export const COREDNS: GoProgram = { name: "coredns" };
export const METRICS_SERVER: GoProgram = { name: "metrics-server" };
export const KUBE_STATE_METRICS: GoProgram = { name: "kube-state-metrics" };
export const PAUSE: GoProgram = { name: "pause" };
/** Its network policy controller alone. */
export const KUBE_ROUTER: GoProgram = { name: "kube-router" };
export const KEDA_MODULE = "github.com/kedacore/keda/v2";
/** Its operator and its metrics adapter, which share nearly all of their packages. */
export const KEDA: GoProgram = {
    name: "keda",
    variables: { [`${KEDA_MODULE}/version.Version`]: "2.20.2" },
    own: {
        module: KEDA_MODULE,
        packages: { keda: "./cmd/operator", "keda-adapter": "./cmd/adapter" },
    },
};
/** For tests, where PATH has none: official ones come with what runs programs, and go.sum pins this one's modules. */
export const PULUMI: GoProgram = {
    name: "pulumi",
    main: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.248.0" },
};
/** For tests of certificates: cert-manager, Helm and an ACME server. */
export const CERT_MANAGER_MODULE = "github.com/cert-manager/cert-manager";
export const CERT_MANAGER: GoProgram = {
    name: "cert-manager",
    links: [
        "cert-manager-acmesolver",
        "cert-manager-cainjector",
        "cert-manager-controller",
        "cert-manager-webhook",
    ],
};
export const HELM: GoProgram = { name: "helm", main: "helm.sh/helm/v3/cmd/helm" };
export const PEBBLE: GoProgram = {
    name: "pebble",
    main: "github.com/letsencrypt/pebble/v2/cmd/pebble",
};
/** For tests: what GitHub would say of the workflows. */
export const ACTIONLINT: GoProgram = {
    name: "actionlint",
    main: "github.com/rhysd/actionlint/cmd/actionlint",
};
/** Makes clusters of containers. */
export const KIND: GoProgram = { name: "kind", main: "sigs.k8s.io/kind" };
/** Not a program: the manifests of its module. */
export const GATEWAY_API: GoProgram = { name: "gateway-api" };
export const TRAEFIK_MODULE = "github.com/traefik/traefik/v3";
/** Neither: its module does not build by itself, but has its manifests. */
export const TRAEFIK: GoProgram = { name: "traefik" };

/** The compiler's own garbage collector costs a fifth of a build's processor time (12.2 → 9.6 min). */
const COMPILER = {
    CGO_ENABLED: "0",
    GOFLAGS: "-buildvcs=false",
    GOGC: "off",
    GOMEMLIMIT: "2500MiB",
};

/**
 * Builds a program once for each version of its source, its pinned modules and the compiler.
 *
 * @returns the folder with the binary and its links.
 */
export async function buildGo(step: Step, program: GoProgram): Promise<string> {
    const flags = flagsOf(program);
    const folder = await folderOf(program);
    await mkdir(PATHS.toolchain, { recursive: true });
    await once(folder, async (temporary) => {
        step.say(`downloading the modules of ${program.name}`);
        const cwd = await sourceFolder(step, program);
        for (const [binary, goPackage] of Object.entries(packagesOf(program))) {
            step.say(`building ${binary}`);
            const target = path.join(temporary, binary);
            await run(step, "go", ["build", ...flags, "-o", target, goPackage], {
                cwd,
                env: COMPILER,
                doing: `building ${binary}`,
            });
        }
        for (const link of program.links ?? []) {
            await symlink(program.name, path.join(temporary, link));
        }
    });
    return folder;
}

/** Folder that a program is built into, whether it has been built or not. */
export async function folderOf(program: GoProgram): Promise<string> {
    const source = path.join(REPOSITORY, "local/toolchain", program.name);
    const compiler = (await tryRun("go", ["env", "GOVERSION", "GOARCH"])) ?? "";
    const key = digest(await digestFiles([source]), compiler, ...flagsOf(program));
    return path.join(PATHS.toolchain, `${program.name}-${key}`);
}

function flagsOf({ variables = {} }: GoProgram): readonly string[] {
    const values = Object.entries(variables).map(([key, value]) => ["-X", `${key}=${value}`]);
    const linker = ["-s", "-w", ...values.flat()].join(" ");
    return ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", linker];
}

/** Packages that a program is built of, by the name of the binary. */
export function packagesOf({ name, own, main }: GoProgram): Readonly<Record<string, string>> {
    return own?.packages ?? { [name]: main ?? "." };
}

/** Where a program is built. */
async function sourceFolder(step: Step, program: GoProgram): Promise<string> {
    // Not all modules of it: it names hundreds that no package of ours uses.
    if (program.own) return moduleFolder(step, program, program.own.module);
    const folder = path.join(REPOSITORY, "local/toolchain", program.name);
    if (program.main === undefined) {
        await run(step, "go", ["mod", "download"], { cwd: folder, env: COMPILER });
    }
    return folder;
}

/** Folder of a module's own files, such as manifests, at the version that a program's go.mod pins. */
export async function moduleFolder(
    step: Step,
    program: GoProgram,
    module: string,
): Promise<string> {
    const cwd = path.join(REPOSITORY, "local/toolchain", program.name);
    const listed = await run(step, "go", ["mod", "download", "-json", module], {
        cwd,
        env: COMPILER,
    });
    return (JSON.parse(listed) as { Dir: string }).Dir;
}
