import { suggestion } from "@property-search/contract";

/** Keys that Pulumi itself reads, such as `pulumi:tags`. */
const OF_PULUMI = "pulumi:";

/**
 * What is wrong with keys that nothing reads. The provider is explicit, so that config of a package, such as
 * `kubernetes:context`, would have no effect either.
 *
 * @param keys as Pulumi hands them to a program, each with its project or package.
 * @param known keys that are read, without the project's name.
 * @returns sentences that begin with the key.
 */
export function unknownKeys(
    keys: readonly string[],
    project: string,
    known: ReadonlySet<string>,
): string[] {
    const prefix = `${project}:`;
    return keys.flatMap((key) => {
        if (key.startsWith(OF_PULUMI)) return [];
        const name = key.slice(key.indexOf(":") + 1);
        if (!key.startsWith(prefix)) {
            const meant = known.has(name) ? ` (did you mean ${prefix}${name}?)` : "";
            return [`${key} is read by nothing; allowed: keys that begin with ${prefix}${meant}`];
        }
        if (known.has(name)) return [];
        const meant = suggestion(name, [...known]);
        return [`${key} is unknown; allowed: the keys that Pulumi.yaml declares${meant}`];
    });
}
