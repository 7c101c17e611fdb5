import type { Placement } from "../components/placement.ts";
import type { ConfigReader } from "./reader.ts";

/** Where pods may run, by which name they pull images, and labels that an organisation wants everywhere. */
export function readPlacement(read: ConfigReader): Placement {
    const { pullSecrets, dockerConfigJson: registryCredentials } = read.group("images");
    return { ...read.group("workloads"), pullSecrets, registryCredentials };
}
