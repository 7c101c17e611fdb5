import { isJson } from "../kubernetes/object.ts";

/**
 * Lets `write` set missing fields of `target` in place. Existing values are kept, whatever `write` does: remediation
 * can neither weaken a value nor expose a secret by writing it again.
 *
 * @returns whether a field was set
 */
export function fillMissing<T extends object>(target: T, write: (view: T) => void): boolean {
    let hasChanged = false;
    write(createView(target));
    return hasChanged;

    function createView<V extends object>(object: V): V {
        return new Proxy(object, {
            get: (_, key) => {
                // Array methods come from the prototype: the SDK's proxies throw when filter and map read the constructor.
                const prototype = Object.getPrototypeOf(object) as object;
                const isOwn = Object.hasOwn(object, key) || !(key in prototype);
                const value: unknown = Reflect.get(isOwn ? object : prototype, key);
                return typeof value === "object" && value !== null ? createView(value) : value;
            },
            set: (_, key, value) => {
                set(object, key, value);
                return true;
            },
            deleteProperty: () => true,
        });
    }

    function set(object: object, key: PropertyKey, value: unknown): void {
        const before: unknown = Reflect.get(object, key);
        if (before === undefined || before === null) {
            Reflect.set(object, key, value);
            hasChanged = true;
        } else if (isJson(before) && isJson(value)) {
            for (const [name, child] of Object.entries(value)) set(before, name, child);
        }
    }
}
