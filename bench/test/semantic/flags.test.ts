import { expect, test } from "@jest/globals";

import { selectNames, wholeNumber } from "../../semantic/flags.ts";

test("names of a list are selected, all of them without a list, and none that does not exist", () => {
    const names = ["once", "zipf-cold"];
    expect([...selectNames("--streams", undefined, names)]).toEqual(names);
    expect([...selectNames("--streams", "once", names)]).toEqual(["once"]);
    expect(() => selectNames("--streams", "once,bogus", names)).toThrow(
        '--streams is "bogus"; allowed: once, zipf-cold',
    );
});

test("a number is whole and large enough", () => {
    expect(wholeNumber("--seeds", 1)("20")).toBe("20");
    expect(() => wholeNumber("--seeds", 1)("0")).toThrow(
        '--seeds is "0"; allowed: a whole number of 1 or more',
    );
    expect(() => wholeNumber("--minutes")("abc")).toThrow('--minutes is "abc"');
});
