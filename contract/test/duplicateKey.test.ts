import { expect, test } from "@jest/globals";
import fc from "fast-check";

import { propertyRuns } from "../../tests/support/property.ts";
import { findDuplicateKey } from "../src/duplicateKey.ts";

test.each([
    ['{"a":1,"a":2}', "a"],
    ['{"a":1, "b" : {"c":[1,{"d":2}]}, "a" :2}', "a"],
    ['{"outer":{"a":1,"a":1}}', "a"],
    ['[[{"a":1},{"b":1,"b":2}]]', "b"],
    ['{"text":1,"t\\u0065xt":2}', "text"],
    ['{"a\\\\":1,"a\\\\":2}', "a\\"],
    ['{"\\"":1,"\\"":2}', '"'],
    ['{"":1,"":2}', ""],
    ['{"__proto__":1,"__proto__":2}', "__proto__"],
])("%s has a key twice", (json, key) => {
    expect(() => JSON.parse(json) as unknown).not.toThrow();
    expect(findDuplicateKey(json)).toBe(key);
});

test.each([
    '{"a":"a","b":["a","a"],"c":{"a":1}}',
    '{"a":"\\"a\\":1,","b":"{\\"a\\":1}"}',
    '[{"a":1},{"a":1}]',
    '"a"',
    '["a","a","a"]',
    '{"a\\\\":1,"a":2}',
    "{}",
])("%s has none", (json) => {
    expect(findDuplicateKey(json)).toBeUndefined();
});

test("of any value, none is found; a key that is repeated is", () => {
    fc.assert(
        fc.property(fc.jsonValue(), fc.string(), fc.jsonValue(), (value, key, other) => {
            const plain = JSON.stringify({ [key]: value, wrapped: [other] });
            expect(findDuplicateKey(plain)).toBeUndefined();
            const name = JSON.stringify(key);
            const twice = `[${JSON.stringify(other)},{${name}:${JSON.stringify(value)},${name} :0}]`;
            expect(findDuplicateKey(twice)).toBe(key);
        }),
        propertyRuns(1_000),
    );
});
