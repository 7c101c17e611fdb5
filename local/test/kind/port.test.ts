import { expect, test } from "@jest/globals";
import { choosePort } from "../../src/kind/port.ts";

test("keeps the port of an existing cluster, unless another one is requested", () => {
    expect(choosePort(undefined, undefined)).toBe(8080);
    expect(choosePort("", 18_080)).toBe(18_080);
    expect(choosePort("19090", 18_080)).toBe(19_090);
});

test.each(["80", "1023", "65536", "8080.5", "0x1f90", "-1", "http", "6443", "8081", "1e4"])(
    "rejects PORT=%s",
    (requested) => {
        expect(() => choosePort(requested, undefined)).toThrow(
            `PORT is "${requested}"; allowed: 1024 to 65535, without 2379`,
        );
    },
);
