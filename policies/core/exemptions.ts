import type { Exemption } from "./config.ts";
import { glob } from "./glob.ts";
import { known } from "./object.ts";
import type { Subject } from "./rule.ts";

/** The exemption that covers a place, whether it still holds or not. */
export function exemptionOf(
    exemptions: readonly Exemption[],
    { object, container }: Pick<Subject, "object"> & { readonly container?: string | undefined },
): Exemption | undefined {
    return exemptions.find(
        (one) =>
            covers(
                one.namespace,
                known(() => object.namespace),
            ) &&
            covers(
                one.workload,
                known(() => object.name),
            ) &&
            covers(one.container, container),
    );
}

/** It holds until the end of its last day, in UTC. */
export function hasExpired({ expires }: Exemption, now: Date): boolean {
    return now.getTime() >= Date.parse(`${expires}T00:00:00Z`) + 86_400_000;
}

/** What is not known, or not there, is matched by no glob but an absent one. */
function covers(pattern: string | undefined, text: string | undefined): boolean {
    return pattern === undefined || (text !== undefined && glob(pattern, text));
}
