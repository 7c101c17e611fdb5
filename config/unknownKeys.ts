import { suggestNearest } from "@property-search/contract";

/** Keys that Pulumi itself reads, such as `pulumi:tags`. */
const OF_PULUMI = "pulumi:";

/**
 * What is wrong with keys that nothing reads. The provider is explicit, so that config of a package, such as
 * `kubernetes:context`, would have no effect either.
 *
 * @param keys as Pulumi hands them to a program, each with its project or package.
 * @param known keys that are read, without the project's name.
 * @param valueOf a key of these, as text.
 * @returns sentences that begin with the key.
 */
export function unknownKeys(
    keys: readonly string[],
    project: string,
    known: ReadonlySet<string>,
    valueOf: (key: string) => string | undefined = () => undefined,
): string[] {
    const prefix = `${project}:`;
    return keys.flatMap((key) => {
        const name = key.slice(key.indexOf(":") + 1);
        if (!key.startsWith(prefix)) {
            if (key.startsWith(OF_PULUMI)) return [];
            const meant = known.has(name) ? ` (did you mean ${prefix}${name}?)` : "";
            return [`${key} is read by nothing; allowed: keys that begin with ${prefix}${meant}`];
        }
        if (known.has(name)) return [];
        const nested = keysIn(name, valueOf(key)).filter((one) => known.has(one));
        if (nested.length > 0) {
            const plain = nested.map((one) => `${prefix}${one}`).join(", ");
            const way = `pulumi config set --path '["${nested[0] ?? ""}"]…'`;
            return [`${key} is a map; allowed: ${plain}, whose dots are a part of it (${way})`];
        }
        const meant = suggestNearest(name, [...known]);
        return [`${key} is unknown; allowed: the keys that Pulumi.yaml declares${meant}`];
    });
}

/** Names by which values of a map would be keys of their own: `a` with `{"b":{"c":1}}` has a.b and a.b.c. */
function keysIn(name: string, text: string | undefined): string[] {
    const read = (at: string, value: unknown): string[] =>
        typeof value === "object" && value !== null && !Array.isArray(value)
            ? Object.entries(value).flatMap(([key, one]) => [
                  `${at}.${key}`,
                  ...read(`${at}.${key}`, one),
              ])
            : [];
    try {
        return read(name, JSON.parse(text ?? "") as unknown);
    } catch {
        return [];
    }
}
