import { isJson } from "../kubernetes/object.ts";

/**
 * Lets `write` set in place what is missing in `target`. What is set already is kept, whatever `write` does:
 * a remedy can neither weaken a value nor make a secret readable by writing it anew.
 *
 * @returns whether anything was set
 */
export function fill<T extends object>(target: T, write: (view: T) => void): boolean {
    let wrote = false;
    write(viewOf(target));
    return wrote;

    function viewOf<V extends object>(object: V): V {
        return new Proxy(object, {
            get: (_, key) => {
                // Methods of arrays: the SDK's proxies throw where filter and map look for the constructor.
                const prototype = Object.getPrototypeOf(object) as object;
                const isOwn = Object.hasOwn(object, key) || !(key in prototype);
                const value: unknown = Reflect.get(isOwn ? object : prototype, key);
                return typeof value === "object" && value !== null ? viewOf(value) : value;
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
            wrote = true;
        } else if (isJson(before) && isJson(value)) {
            for (const [name, child] of Object.entries(value)) set(before, name, child);
        }
    }
}
