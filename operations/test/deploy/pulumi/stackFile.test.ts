import { beforeEach, describe, expect, test } from "@jest/globals";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeTemporaryFolder } from "../../../../tests/support/temporaryFolder.ts";
import { copyNewValues } from "../../../deploy/pulumi/config.ts";
import {
    readConfig,
    readEncryption,
    setConfig,
    setEncryption,
} from "../../../deploy/pulumi/stackFile.ts";
import { PROGRAM_FOLDER } from "../../../stack/program.ts";

const KEPT = `# What this stack is for.
config:
    property-search:green.image: registry/service:v2 # from the pipeline
    # Percent of the traffic.
    property-search:traffic.weights: { blue: 90, green: 10 } # step one

    property-search:alerts.monthlySavingsDollars: "5000"
    property-search:admin.token:
        secure: v1:abc
encryptionsalt: v1:salt
`;

let folder: string;
let file: string;

beforeEach(async () => {
    folder = makeTemporaryFolder();
    file = path.join(folder, "Pulumi.prod.yaml");
    await writeFile(file, KEPT, { mode: 0o600 });
});

const text = () => readFile(file, "utf8");

describe("a stack's config file", () => {
    test("keeps comments, order, secrets and quotes when values change", async () => {
        await setConfig(file, {
            "green.image": "registry/service:v3",
            "traffic.weights": { blue: 50, green: 50 },
            "alerts.monthlySavingsDollars": "6000",
        });
        expect(await text()).toBe(
            KEPT.replace("service:v2", "service:v3")
                .replace("{ blue: 90, green: 10 }", "{ blue: 50, green: 50 }")
                .replace("5000", "6000"),
        );
    });

    test("gets missing keys in one line, as other keys", async () => {
        await setConfig(file, { "blue.image": "registry/service:v1", "tenants.list": "[]" });
        expect(await text()).toContain("\n    property-search:blue.image: registry/service:v1\n");
        expect(await text()).toContain('\n    property-search:tenants.list: "[]"\n');
        expect(await readConfig(file, "blue.image")).toBe("registry/service:v1");
    });

    test("loses a removed key, and does not change for a missing one", async () => {
        await setConfig(file, {
            "alerts.monthlySavingsDollars": undefined,
            "blue.image": undefined,
        });
        expect(await text()).toBe(
            KEPT.replace('\n    property-search:alerts.monthlySavingsDollars: "5000"\n', ""),
        );
    });

    test("returns its values unchanged", async () => {
        expect(await readConfig(file, "traffic.weights")).toEqual({ blue: 90, green: 10 });
        expect(await readConfig(file, "alerts.monthlySavingsDollars")).toBe("5000");
        expect(await readConfig(file, "blue.image")).toBeUndefined();
    });

    test("keeps its permissions, and leaves no draft behind", async () => {
        await setConfig(file, { "green.image": "registry/service:v3" });
        expect((await stat(file)).mode & 0o777).toBe(0o600);
        expect(await readdir(folder)).toEqual(["Pulumi.prod.yaml"]);
    });

    test("that is invalid YAML stays unchanged", async () => {
        await writeFile(file, "config: [\n");
        await expect(setConfig(file, { "blue.image": "x" })).rejects.toThrow();
        expect(await text()).toBe("config: [\n");
    });
});

test("secrets of a draft are copied, and the rest of the file stays unchanged, including its layout", async () => {
    const draft = path.join(folder, "draft.yaml");
    // As the CLI lays it out.
    await writeFile(
        draft,
        `encryptionsalt: v1:other
config:
  property-search:green.image: registry/service:v2
  property-search:traffic.weights:
    blue: 90
    green: 10
  property-search:alerts.monthlySavingsDollars: "5000"
  property-search:admin.token:
    secure: v1:abc
  property-search:redis.passwords.app:
    secure: ${"v1:long".repeat(30)}
`,
    );
    await copyNewValues(draft, file);
    const added = `    property-search:redis.passwords.app:\n        secure: ${"v1:long".repeat(30)}\n`;
    expect(await text()).toBe(KEPT.replace("encryptionsalt:", `${added}encryptionsalt:`));
});

test("encryption settings of a new stack are added if the file lacks them", async () => {
    await writeFile(file, "config:\n");
    await setEncryption(file, { encryptionsalt: "v1:new" });
    await setConfig(file, { "blue.image": "a:v1" });
    expect(await readEncryption(file)).toEqual({ encryptionsalt: "v1:new" });
    expect(await readConfig(file, "blue.image")).toBe("a:v1");
    await setEncryption(file, { encryptionsalt: "v1:later", secretsprovider: "awskms://key" });
    expect(await readEncryption(file)).toEqual({
        encryptionsalt: "v1:new",
        secretsprovider: "awskms://key",
    });
});

test.each(["dev", "local", "prod"])(
    "Pulumi.%s.yaml changes in the one line asked for",
    async (stack) => {
        const before = await readFile(path.join(PROGRAM_FOLDER, `Pulumi.${stack}.yaml`), "utf8");
        await writeFile(file, before);
        await setConfig(file, { "green.image": "registry/service:v3" });
        const after = await text();
        expect(after).toBe(
            before.replace(/(property-search:green\.image: ).*/, "$1registry/service:v3"),
        );
        expect(after).not.toBe(before);
    },
);
