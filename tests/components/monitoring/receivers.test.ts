import { afterEach, describe, expect, jest, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import {
    receiverWarnings,
    warnWithoutReceivers,
    type AlertReceivers,
} from "../../../components/monitoring/receivers.ts";
import { renderStack } from "../../../render.ts";

const NOBODY: AlertReceivers = {
    slackChannel: undefined,
    slackCriticalChannel: undefined,
    webhookUrl: undefined,
    watchdogUrl: undefined,
};
const HOOK = "https://hook.example.com";

afterEach(() => {
    jest.restoreAllMocks();
});

describe("receivers of alerts", () => {
    test.each<[Partial<AlertReceivers>, RegExp[]]>([
        [{}, [/^alerts reach nobody: neither alerts\.slackUrl nor alerts\.webhookUrl is set/]],
        [{ watchdogUrl: HOOK }, [/^alerts reach nobody/]],
        [
            { slackChannel: "#alerts" },
            [/^nobody notices when alerting itself fails: alerts\.watchdogUrl/],
        ],
        [{ webhookUrl: HOOK }, [/^nobody notices/]],
        [{ webhookUrl: HOOK, watchdogUrl: HOOK }, []],
    ])("%j: a preview and a deploy say what is missing", (given, words) => {
        const warnings = receiverWarnings({ ...NOBODY, ...given });
        expect(warnings).toEqual(words.map((one) => expect.stringMatching(one)));
    });

    test("what is missing goes to Pulumi's log, which is standard error without an engine", () => {
        const said = jest.spyOn(console, "warn").mockImplementation(() => undefined);
        warnWithoutReceivers(NOBODY);
        expect(said).toHaveBeenCalledWith(
            expect.stringContaining("warning: [runtime] alerts reach nobody"),
        );
        expect(pulumi.runtime.hasEngine()).toBe(false);
    });

    test("stack prod as shipped says so whenever it is rendered, which every deploy does", async () => {
        const said = jest.spyOn(console, "warn").mockImplementation(() => undefined);
        await renderStack({ stack: "prod" });
        expect(said.mock.calls.flat().join("\n")).toContain("alerts reach nobody");
    });
});
