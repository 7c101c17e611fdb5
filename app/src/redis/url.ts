import type { ServiceSettings } from "@property-search/contract/settings";

/** Topologies of Redis. */
export type RedisMode = ServiceSettings["redisMode"];

/** @returns what is wrong with Redis URLs: parts that the service would ignore or interpret differently */
export function redisUrlErrors(
    urls: readonly URL[],
    mode: RedisMode,
    separateLogin: SeparateLogin,
): readonly string[] {
    const [first] = urls;
    if (first === undefined) return [];
    const violated = RULES.filter(({ isBroken }) => urls.some((url) => isBroken(url, mode)));
    const duplicated = LOGIN.filter(
        (part) => separateLogin[part] && urls.some((url) => url[part] !== ""),
    );
    const lacksPassword = first.username !== "" && first.password === "" && !separateLogin.password;
    const differing = SHARED.filter(([part]) =>
        urls.some((url) => url[part] !== "" && url[part] !== first[part]),
    );
    return [
        ...violated.map(({ allowed }) => allowed),
        ...duplicated.map((part) => `no ${part} in the URL, because it is set separately`),
        ...(lacksPassword ? ["a password with the user, in the URL or as REDIS_PASSWORD"] : []),
        ...differing.map(([, name]) => `the same ${name} in every URL, or in the first alone`),
    ];
}

/** Whether separate variables or files set a part of the login, which takes precedence. */
export type SeparateLogin = Readonly<Record<(typeof LOGIN)[number], boolean>>;

const LOGIN = ["username", "password"] as const;

interface Rule {
    readonly isBroken: (url: URL, mode: RedisMode) => boolean;
    readonly allowed: string;
}

const RULES: readonly Rule[] = [
    {
        isBroken: ({ search, hash, href }) => search + hash !== "" || /[?#]/.test(href),
        allowed: 'URLs without "?" and "#": options are variables of their own',
    },
    {
        isBroken: ({ pathname }, mode) =>
            !(mode === "cluster" ? /^\/?0?$/ : /^\/?\d{0,5}$/).test(pathname),
        allowed: "nothing after the port except a database number, which a cluster does not have",
    },
    {
        isBroken: ({ username, password }) => !isDecodable(username) || !isDecodable(password),
        allowed: 'a user and password that are percent-encoded ("%" as "%25")',
    },
    { isBroken: ({ port }) => port === "0", allowed: "a port from 1 to 65535" },
];

/** The values of the first URL apply to all URLs. */
const SHARED = [
    ["username", "user"],
    ["password", "password"],
    ["pathname", "database"],
] as const;

function isDecodable(text: string): boolean {
    try {
        decodeURIComponent(text);
        return true;
    } catch {
        return false;
    }
}
