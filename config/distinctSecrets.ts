import { GENERATED_SECRETS, OVERLAPPING_SECRETS, type Overlap } from "@property-search/contract";
import type { ConfigReader } from "./reader.ts";

const OVERLAPS: Readonly<Record<string, Overlap>> = OVERLAPPING_SECRETS;

/** Each secret opens something else, so that none may be another's, not even during a rotation. */
export function checkDistinctSecrets(read: ConfigReader): void {
    const firsts = new Map<string, { readonly secret: string; readonly key: string }>();
    for (const secret of GENERATED_SECRETS) {
        const { next, previous } = OVERLAPS[secret] ?? {};
        for (const key of [secret, next, previous]) {
            const value = key === undefined ? undefined : read.valueOfSecret(key);
            if (key === undefined || value === undefined) continue;
            const first = firsts.get(value);
            if (first === undefined) firsts.set(value, { secret, key });
            else if (first.secret !== secret)
                read.addError(key, `is the same as ${first.key}; allowed: a value of its own`);
        }
    }
}
