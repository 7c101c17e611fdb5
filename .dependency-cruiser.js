// Which folder may import which, and that no files import each other in a circle. `make lint` checks it.

/** Tests and what only they use: they may import anything, and nothing else imports them. */
const TESTS = "(^|/)(test|tests|test-support|integration)/|[.]test[.]ts$|^jest[^/]*[.]js$";

/** Operations on a cluster. They know the program by its rendering or by the Pulumi CLI (docs/adr/0009). */
const OPERATIONS = "^operations/";
const CONTRACT = "^contract/";
const POLICIES = "^policies/";
const COMPONENTS = "^components/";
const CONFIG = "^config(/|[.]ts$)";

/** What each part may import, from the bottom to the top; every part may also import itself. */
const PARTS = {
    contract: { path: CONTRACT, may: [] },
    app: { path: "^app/", may: [CONTRACT] },
    policies: { path: POLICIES, may: [CONTRACT] },
    components: { path: COMPONENTS, may: [CONTRACT, POLICIES] },
    // config/boundCluster.ts asks the cluster of `pulumi up` by hand, as a deploy does.
    "config-of-cluster": {
        path: "^config/boundCluster[.]ts$",
        may: [CONTRACT, CONFIG, OPERATIONS],
    },
    config: {
        path: CONFIG,
        except: "^config/boundCluster[.]ts$",
        may: [CONTRACT, POLICIES, COMPONENTS],
    },
    index: { path: "^index[.]ts$", may: [CONTRACT, POLICIES, COMPONENTS, CONFIG] },
    render: {
        path: "^render(/|[.]ts$)",
        // Of operations only the reader of stack files, which both command lines share.
        may: [
            CONTRACT,
            POLICIES,
            COMPONENTS,
            CONFIG,
            "^index[.]ts$",
            "^operations/stack/stacks[.]ts$",
        ],
    },
    operations: {
        path: OPERATIONS,
        // Of the config only the patterns of values: a flag allows what the stack file does.
        may: [CONTRACT, POLICIES, "^config/allowed[.]ts$"],
    },
    local: { path: "^local/", may: [CONTRACT, OPERATIONS] },
    // The benchmarks run what they measure in their own process: the service, the policy pack, the judge. Load and
    // acceptance find the platform like any operation, and count in its Prometheus like insights.
    bench: {
        path: "^bench/",
        may: [
            ...[CONTRACT, "^app/src/", POLICIES, OPERATIONS, "^insights/src/prometheus/"],
            // Acceptance kills pods.
            "^local/src/node/killPod[.]ts$",
        ],
    },
    insights: { path: "^insights/", may: [CONTRACT] },
    examples: { path: "^examples/", may: [CONTRACT, COMPONENTS] },
    github: { path: "^[.]github/", may: [] },
};

/** What each folder of operations/ may import of the others, from the bottom to the top (docs/adr/0009). */
const UNDER_DEPLOY = ["cluster", "stack", "shared", "gateway"];
const FOLDERS_OF_OPERATIONS = {
    cluster: [],
    judge: [],
    stack: ["cluster"],
    shared: ["cluster"],
    gateway: ["cluster", "shared"],
    admin: ["cluster", "gateway"],
    impact: ["cluster", "gateway"],
    deploy: [...UNDER_DEPLOY, "admin", "impact"],
    optimize: ["cluster", "gateway", "admin"],
    rotate: [...UNDER_DEPLOY, "deploy"],
    backup: ["cluster", "stack", "rotate"],
    release: [...UNDER_DEPLOY, "deploy", "admin", "judge"],
    rehearse: [...UNDER_DEPLOY, "deploy", "backup"],
    training: [...UNDER_DEPLOY, "deploy", "backup", "rehearse"],
};

/** What each folder of app/src/ may import of the others, from the bottom to the top (app/README.md). */
const UNDER_UPSTREAM = ["memory", "threads", "vector", "http/headers", "tracing"];
const UNDER_TENANTS = [...UNDER_UPSTREAM, "redis", "key", "upstream", "http/protocol"];
const UNDER_CACHE = [...UNDER_TENANTS, "tenants"];
const FOLDERS_OF_APP = {
    memory: [],
    threads: [],
    vector: [],
    redis: [],
    tracing: ["http/headers"],
    key: ["redis"],
    upstream: UNDER_UPSTREAM,
    "http/protocol": ["memory", "key", "upstream", "http/headers"],
    "http/transport": ["memory", "http/protocol"],
    tenants: UNDER_TENANTS,
    cache: UNDER_CACHE,
    invalidations: ["cache", "redis"],
    quarantines: ["cache", "redis", "vector"],
    hotKeys: ["cache", "vector"],
    ghosts: ["cache", "vector"],
    semantic: [],
    runtimeSettings: ["redis"],
    metrics: ["cache", "upstream", "reuse", "ghosts", "runtimeSettings"],
    ledger: ["cache", "metrics"],
    experiments: ["cache", "metrics"],
    reuse: [...UNDER_CACHE, "cache", "semantic"],
    "http/handler": [
        ...UNDER_CACHE,
        "cache",
        "reuse",
        "experiments",
        "hotKeys",
        "metrics",
        "ledger",
    ],
    admin: [
        ...[...UNDER_CACHE, "cache", "invalidations", "quarantines"],
        ...["experiments", "hotKeys", "ledger", "reuse", "runtimeSettings", "semantic"],
    ],
};
/** Files of app/src/ that create and connect the folders, which do not import them. */
const TOP_OF_APP = "(app|container|reuseContainer|server)[.]ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
    forbidden: [
        {
            name: "no-circle",
            comment:
                "Files import each other in a circle: move what both need into a file of its own.",
            severity: "error",
            from: {},
            to: { circular: true },
        },
        {
            name: "no-import-of-tests",
            comment: "Only tests import tests and their support.",
            severity: "error",
            from: { pathNot: TESTS },
            to: { path: TESTS },
        },
        {
            name: "resolvable",
            comment: "The import leads to no file.",
            severity: "error",
            from: {},
            to: { couldNotResolve: true },
        },
        ...Object.entries(PARTS).map(([name, { path, except, may }]) => ({
            name: `imports-of-${name}`,
            comment: "The import goes against the direction that .dependency-cruiser.js declares.",
            severity: "error",
            from: { path, pathNot: except === undefined ? TESTS : [TESTS, except] },
            to: {
                pathNot: [path, ...may, TESTS, "(^|/)node_modules/"],
                dependencyTypesNot: ["core"],
            },
        })),
        ...Object.entries(FOLDERS_OF_OPERATIONS).map(([folder, may]) => ({
            name: `imports-of-operations-${folder}`,
            comment: "The import goes against the direction that .dependency-cruiser.js declares.",
            severity: "error",
            from: { path: `^operations/${folder}/` },
            to: {
                path: "^operations/",
                pathNot: `^operations/(${[folder, ...may, "node_modules"].join("|")})/`,
            },
        })),
        ...Object.entries(FOLDERS_OF_APP).map(([folder, may]) => ({
            name: `imports-of-app-${folder.replace("/", "-")}`,
            comment: "The import goes against the direction that .dependency-cruiser.js declares.",
            severity: "error",
            from: { path: `^app/src/${folder}/` },
            to: {
                path: `^app/src/(.*/|${TOP_OF_APP})`,
                pathNot: `^app/src/(${[folder, ...may].join("|")})(/|[.]ts$)`,
            },
        })),
    ],
    options: {
        doNotFollow: { path: "node_modules" },
        exclude: { path: "^(rendered|reports|bench/results)/" },
        // Imports of types count too.
        tsPreCompilationDeps: true,
        tsConfig: { fileName: "tsconfig.json" },
        enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node"] },
    },
};
