import fc from "fast-check";
import { ROWS, textOf } from "../../config/settings/index.ts";
import { describe } from "../../config/settings/row.ts";
import { propertyRuns } from "./property.ts";

/** Words that people, YAML and other programs put where a value should be, separated by blanks. */
const PLAIN = String.raw`
    é 日本 ٣ null ~ undefined NaN Infinity -Infinity true false TRUE yes no on off [] {} [null] [[]] "" "a" [1]
    ["a"] 0 -0 1 -1 2 3 10 010 0x10 0o10 1e3 1E3 1_000 1,000 3.0 1.10 0.5 .5 5. -0.5 99.99 99.999 1e400
    9007199254740993 2147483648 65535 65536 99999 12:30:45 2024-01-25 2024-13-45 2024-02-31=0.02 2024-13-45=0.02
    2027-01-01=0.015,2024-01-25=0.02 2024-01-25=0.02,2024-01-25=0.01 2024-01-25=1e5 1h 500ms 80% 5% 1000 1000m
    0.0001 0.5m 1m 128 4GB 4G 4Gi 4gi 0Gi -4Gi 1.5Gi 32Mi 64Mi 256Mi 1Ki 9999Ti a A -a a- a_b a..b a.-b a.b . ..
    a/b $(HOME) *.example.com a.example.com localhost x;y a'b a"b a\b a$b app app:latest app:stable app:v1
    app:1.2 app:v1.2.3 App:v1.2.3 redis:6.2.14 https://r.example/app:v1.2.3 r.example:5000/app:v1.2.3
    prom/prometheus:v2.20.0 http://a.example https://a.example/v1 https://a.example/v1/ https://a.example?x=1
    https://a.example#x https://u:p@a.example https://a.example:99999 http://a.example:0 http://:4318
    http://[::1:4318 http://[::1]:4318 http:// http:/a http://0x7f.1 http://1.2.3 http://1.2.3.4:8080
    HTTP://A.EXAMPLE ftp://a.example //a https://a.example:443,https://b.example https://a,b
    https://a.example/%zz https://-a.example redis://a:6379 rediss://a.example:6380 redis://a:0 redis://a:99999
    redis://a:6379/2 redis://a:06379 redis://a redis://a:1,redis://b:1 redis://a:1,rediss://b:1 redis://a:1,
    redis://$(HOST):6379 redis://a:1,redis://a:1 redis://[::1]:6379 redis://a_b:6379 a:1 a:0 a:65536
    a.b.svc:9100 http://a:9100 a:1:2 :9100 a..b:1 A:1 10.0.0.0/8 ["10.0.0.0/8"] ["10.0.0.0/33"] ["010.0.0.0/8"]
    ["::/0"] ["fe80::1%eth0/64"] ["10.0.0.0/08"] ["10.0.0.0/8",null] ["10.0.0.0/8","x"] [["10.0.0.0/8"]] {"a":1}
    {"blue":90,"green":10} {"blue":"90","green":10} {"blue":99.5,"green":0.5} {"blue":100}
    {"blue":-10,"green":110} {"blue":90,"green":10,"red":0} {"blue":null,"green":100} [90,10] [{}] {"id":"a"}
    [{"id":"a","keys":["k"]}] x [],"x":[] [null] [[[[]]]] [1 ops ops@example ops@example.com ö@example.com
    #alerts @ops #日本 case case,case case,punctuation stems short https://hooks.slack.example/T1/B2/x
    http://hooks.slack.example:8080/x https://hooks.slack.example:8443/x
`
    .trim()
    .split(/\s+/);

/** All such texts: also those with blanks, control characters and many characters. */
const TEXTS: readonly string[] = [
    ...PLAIN,
    "",
    " ",
    "\t",
    "\n",
    " 3",
    "3 ",
    "\u0000",
    "a\u0000b",
    "\u200b",
    "\ufeff1",
    "[object Object]",
    "1".repeat(400),
    `2024-01-25=${"9".repeat(400)}`,
    "2 cores",
    "a b",
    "${HOME}",
    "{{ .Values.x }}",
    "a".repeat(63),
    "a".repeat(64),
    "a".repeat(253),
    "a".repeat(254),
    "a".repeat(5000),
    "Fast SSD",
    `app@sha256:${"a".repeat(64)}`,
    `app@sha256:${"a".repeat(32)}`,
    `${"a/".repeat(300)}app:v1.2.3`,
    "https://a b.example",
    "alerts ops",
    "{{ x }}",
    "x".repeat(32),
    "x".repeat(31),
    "has space\nuser x on",
    `${"x".repeat(40)}\n`,
    "not a url",
];

const listed = (id: string, sha: string) =>
    JSON.stringify([{ id, keys: [{ sha256: sha.repeat(64) }] }]);

/** Words of Pulumi.yaml that look as if they were values, such as `external` and `acmeStaging`. */
const WORDS = /\b[a-z][A-Za-z0-9]*(?:-[a-z]+)*\b/g;

/**
 * Values that are tried of a key: its default and variants of it, words of its description, and texts for all keys, at the
 * gate a share of these.
 */
export function zooOf(key: string): readonly string[] {
    const row = ROWS.get(key);
    const text = textOf(row?.default ?? "");
    const near = [
        text,
        text.toUpperCase(),
        ` ${text}`,
        `${text} `,
        `${text}\n`,
        `-${text}`,
        `${text}0`,
        `${text},${text}`,
    ];
    const words = row ? (describe(row).match(WORDS) ?? []) : [];
    const tenants = [listed("a", "a"), listed("platform", "a"), listed("A", "a"), listed("a", "x")];
    const { numRuns: length, seed } = propertyRuns(TEXTS.length);
    const some = fc.shuffledSubarray([...TEXTS], { minLength: length, maxLength: length });
    const [texts = []] = length < TEXTS.length ? fc.sample(some, { seed, numRuns: 1 }) : [TEXTS];
    return [...new Set([...texts, ...near, ...words, ...(key === "tenants.list" ? tenants : [])])];
}
