import { describe, expect, test } from "@jest/globals";
import { OVERLAPPING_SECRETS, type OverlappingSecret } from "@property-search/contract";
import { RenderError } from "../../stack/render.ts";
import { checkRotation, rotate, type Rotation } from "../../rotate/steps.ts";

type Values = Readonly<Record<string, string | undefined>>;

/** Thrown instead of an operation, as in a killed process. */
class CutOff extends Error {}

/**
 * A stack whose pods get what the store has some time during a deploy: at any moment each of its users may
 * still have the values from before, and each of its checkers too.
 */
class Stack {
    readonly secret: string;
    stored: Values;
    deployed: Values;
    /** Values that were used while they were rejected. */
    readonly failures: string[] = [];
    deploys = 0;
    /** Operations before the kill. */
    left = Infinity;

    constructor(secret: string) {
        this.secret = secret;
        this.stored = this.deployed = { [secret]: "first" };
    }

    rotation(change: Partial<Rotation> = {}): Rotation {
        return {
            secret: this.secret,
            finish: false,
            store: {
                read: (key) => Promise.resolve(this.stored[key]),
                write: async (changes) => {
                    await Promise.resolve();
                    // Key by key, as Pulumi's CLI does.
                    for (const [key, value] of Object.entries(changes)) {
                        this.#operate();
                        this.stored = { ...this.stored, [key]: value };
                    }
                },
            },
            deploy: async () => {
                await Promise.resolve();
                this.#operate();
                this.#deploy();
            },
            waitForAnswers: async (_, value, answer) => {
                await Promise.resolve();
                this.#operate();
                const isAccepted = this.#acceptedBy(this.deployed).includes(value);
                if (isAccepted !== (answer === "accepted")) {
                    throw new Error(`${value} is never ${answer}`);
                }
            },
            report: () => undefined,
            ...change,
        };
    }

    /** Repeats the command until it ends; its first run is killed before the operation `at`. */
    async command(at: number, change: Partial<Rotation> = {}): Promise<void> {
        this.left = at;
        try {
            await rotate(this.rotation(change));
        } catch (error) {
            if (!(error instanceof CutOff)) throw error;
            this.left = Infinity;
            await rotate(this.rotation(change));
        }
    }

    #operate(): void {
        if (this.left === 0) throw new CutOff();
        this.left -= 1;
    }

    #deploy(): void {
        this.deploys += 1;
        for (const user of [this.deployed, this.stored]) {
            for (const checker of [this.deployed, this.stored]) {
                const used = user[this.secret] ?? "";
                if (!this.#acceptedBy(checker).includes(used)) this.failures.push(used);
            }
        }
        this.deployed = this.stored;
    }

    #acceptedBy(values: Values): readonly (string | undefined)[] {
        const { next, previous } = OVERLAPPING_SECRETS[this.secret as OverlappingSecret];
        return [values[this.secret], values[next], values[previous]];
    }
}

const REDIS = ["redis.passwords.app", "redis.passwords.exporter", "redis.passwords.admin"];

describe.each(REDIS)("rotating %s", (secret) => {
    test("replaces it in three deploys, without rejected logins", async () => {
        const stack = new Stack(secret);
        await rotate(stack.rotation());
        expect(stack.failures).toEqual([]);
        expect(stack.deploys).toBe(3);
        expect(stack.deployed[secret]).toMatch(/^\w{43}$/);
        expect(Object.values(stack.deployed).filter((value) => value !== undefined)).toHaveLength(
            1,
        );
    });

    test("is completed by the same command after a kill at any point", async () => {
        for (let at = 0; at < 12; at += 1) {
            const stack = new Stack(secret);
            await stack.command(at);
            expect([at, stack.failures]).toEqual([at, []]);
            expect(stack.deployed).toEqual(stack.stored);
            expect(stack.deployed[secret]).not.toBe("first");
            const values = Object.values(stack.deployed).filter((value) => value !== undefined);
            expect([at, values.length]).toEqual([at, 1]);
        }
    });
});

describe("rotating tenants.platformKey", () => {
    const secret = "tenants.platformKey";

    test("keeps the old key until it is revoked", async () => {
        const stack = new Stack(secret);
        await rotate(stack.rotation());
        expect(stack.deployed).toMatchObject({ "tenants.previousPlatformKey": "first" });
        await expect(rotate(stack.rotation())).rejects.toThrow(/still accepted: revoke it first/);
        await rotate(stack.rotation({ finish: true }));
        expect(stack.deployed["tenants.previousPlatformKey"]).toBeUndefined();
        expect(stack.failures).toEqual([]);
    });

    test("is completed by the same command after a kill at any point, and revoked afterwards", async () => {
        for (let at = 0; at < 8; at += 1) {
            const stack = new Stack(secret);
            await stack.command(at);
            expect([at, stack.stored[secret]]).not.toEqual([at, "first"]);
            expect([at, stack.stored["tenants.previousPlatformKey"]]).toEqual([at, "first"]);
            expect([at, stack.stored["tenants.nextPlatformKey"]]).toEqual([at, undefined]);
            await stack.command(at, { finish: true });
            expect([at, stack.failures]).toEqual([at, []]);
            expect([at, stack.deployed["tenants.previousPlatformKey"]]).toEqual([at, undefined]);
        }
    });
});

describe("rotating an externally issued secret", () => {
    test("sets its new value in one deploy", async () => {
        const stored: Record<string, string | undefined> = {};
        const lines: string[] = [];
        let deploys = 0;
        await rotate({
            ...new Stack("redis.passwords.app").rotation(),
            secret: "service.upstreamApiKey",
            value: "issued",
            store: {
                read: (key) => Promise.resolve(stored[key]),
                write: (changes) => Promise.resolve(void Object.assign(stored, changes)),
            },
            deploy: () => Promise.resolve(void (deploys += 1)),
            report: (line) => lines.push(line),
        });
        expect(stored).toEqual({ "service.upstreamApiKey": "issued" });
        expect(deploys).toBe(1);
        expect(lines.join()).toContain("revoke the old value");
    });

    test("keeps the old value if the program rejects the new one", async () => {
        const key = "service.upstreamApiKey";
        const stored: Record<string, string | undefined> = { [key]: "former" };
        const rejected = new RenderError(`property-search:${key} is wrong`);
        const rotation = (error: Error) => ({
            ...new Stack("redis.passwords.app").rotation(),
            secret: key,
            value: "two words",
            store: {
                read: (one: string) => Promise.resolve(stored[one]),
                write: (changes: Values) => Promise.resolve(void Object.assign(stored, changes)),
            },
            deploy: () => Promise.reject(error),
        });
        await expect(rotate(rotation(rejected))).rejects.toBe(rejected);
        expect(stored).toEqual({ [key]: "former" });
        // After a killed deploy, pods may already have the new value.
        await expect(rotate(rotation(new CutOff()))).rejects.toThrow(CutOff);
        expect(stored).toEqual({ [key]: "two words" });
    });

    test.each([
        [
            { secret: "redis.passwords.ap" },
            /SECRET is "redis\.passwords\.ap"; allowed: redis\.passwords\.app, /,
        ],
        [
            { secret: "service.upstreamApiKey" },
            /has no new value; allowed: the value from its issuer/,
        ],
        [
            { secret: "admin.token", finish: true },
            /FINISH is set; allowed: for tenants\.platformKey only/,
        ],
        [{ secret: "redis.passwords.app", finish: true }, /FINISH is set; allowed/],
    ])("%j is rejected", (request, words) => {
        expect(() => checkRotation({ value: undefined, finish: false, ...request })).toThrow(words);
    });
});
