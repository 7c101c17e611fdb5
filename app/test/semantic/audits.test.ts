import { expect, test } from "@jest/globals";

import { createAudits } from "../../src/semantic/audits.ts";

test("the probability of an audit grows with the answers to a text, up to certainty", () => {
    const audits = createAudits(0.4);
    expect(audits.shareOf("a")).toBe(0.4);
    audits.onServed("a");
    expect(audits.shareOf("a")).toBe(0.8);
    audits.onServed("a");
    expect(audits.shareOf("a")).toBe(1);
    expect(audits.shareOf("b")).toBe(0.4);
});

test("memory is bounded: the texts answered longest ago are forgotten", () => {
    const audits = createAudits(0.1);
    audits.onServed("first");
    for (let text = 0; text < 10_000; text += 1) audits.onServed(String(text));
    expect(audits.shareOf("first")).toBe(0.1);
    expect(audits.shareOf("9999")).toBe(0.2);
});
