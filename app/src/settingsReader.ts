import {
    describeText,
    readSettings,
    SERVICE_SETTINGS,
    type ServiceSettings,
} from "@property-search/contract/settings";

export type Environment = Readonly<Record<string, string | undefined>>;

/** All errors of the environment, one per line. */
export class ConfigError extends Error {
    readonly problems: readonly string[];

    constructor(problems: readonly string[]) {
        super(
            `The environment is invalid:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
        );
        this.name = "ConfigError";
        this.problems = problems;
    }
}

type Name = keyof ServiceSettings;

/** The values of SERVICE_SETTINGS in an environment, and the errors of the environment so far. */
export class SettingsReader {
    readonly values: ServiceSettings;
    readonly #environment: Environment;
    readonly #problems: string[] = [];

    constructor(environment: Environment) {
        this.#environment = environment;
        this.values = readSettings(
            SERVICE_SETTINGS,
            ({ env }) => this.#text(env),
            ({ env }, words) => this.#problems.push(`${env} ${words}`),
        );
    }

    #text(env: string): string {
        // Proxy variables are in use in both cases.
        const other = env.endsWith("_PROXY") ? this.#environment[env.toLowerCase()] : undefined;
        return (this.#environment[env] ?? other ?? "").trim();
    }

    isSet(name: Name): boolean {
        return this.#text(SERVICE_SETTINGS[name].env) !== "";
    }

    /** Adds an error unless the reason is undefined or empty. */
    addErrorIf(name: Name, allowed: string, reason: string | undefined): void {
        if (reason !== undefined && reason !== "") this.addError(name, `${allowed} (${reason})`);
    }

    addError(name: Name, allowed: string): void {
        const setting = SERVICE_SETTINGS[name];
        const found = describeText(setting, this.#text(setting.env));
        this.#problems.push(`${setting.env} ${found}; allowed: ${allowed}`);
    }

    /** @throws ConfigError if there are errors */
    throwErrors(): void {
        if (this.#problems.length > 0) throw new ConfigError(this.#problems);
    }
}

/** Removes trailing slashes of the path, to which other paths are joined. */
export function parseBaseUrl(text: string): URL {
    const url = new URL(text);
    url.pathname = url.pathname.replace(/\/+$/, "");
    return url;
}

export function emptyToUndefined(text: string | undefined): string | undefined {
    return text === "" ? undefined : text;
}
