import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export interface Provider {
    /** Of the CLI: it attaches to this provider. */
    readonly settings: Readonly<Record<string, string>>;
    readonly end: () => void;
}

/** Starts the double of Pulumi's Kubernetes provider; its cluster is the file `cluster.json` in a folder. */
export async function startKubernetesProvider(folder: string): Promise<Provider> {
    const script = path.join(import.meta.dirname, "kubernetes.ts");
    const provider = spawn(process.execPath, [script, folder], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    // A test that fails half way must not wait for it.
    provider.unref();
    const [first] = (await once(provider.stdout, "data")) as [Buffer];
    return {
        settings: { PULUMI_DEBUG_PROVIDERS: `kubernetes:${first.toString().trim()}` },
        end: () => provider.kill(),
    };
}
