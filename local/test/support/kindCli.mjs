#!/usr/bin/env node
// Stands in for docker, podman, nerdctl and kind, by the name that it is called by: it keeps containers and
// images in STATE, writes each call into its log, and rejects flags that the real commands do not have.
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

const name = path.basename(process.argv[1]);
const args = process.argv.slice(2);
const folder = process.env.STATE;
const file = path.join(folder, "state.json");
const state = JSON.parse(readFileSync(file, "utf8"));
const keep = () => {
    // Whole or not at all: other commands read it meanwhile.
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(state));
    renameSync(`${file}.${process.pid}`, file);
};
const fail = (words, code = 1) => {
    console.error(words);
    process.exit(code);
};
appendFileSync(path.join(folder, "calls"), `${name} ${args.join(" ")}\n`);

/** Flags of the real commands: `=` marks those with a value. */
const FLAGS = {
    ps: ["--all", "--quiet", "--filter="],
    inspect: ["--format="],
    "image inspect": ["--format="],
    images: ["--filter=", "--format="],
    build: ["--tag=", "--file="],
    save: ["--output=", ...(name === "docker" && state.platforms ? ["--platform="] : [])],
    rmi: [],
    rm: ["--force", "--volumes"],
    start: [],
    unpause: [],
    cp: [],
    exec: [],
    "create cluster": ["--name=", "--kubeconfig=", "--config=", "--wait="],
    "export kubeconfig": ["--name=", "--kubeconfig="],
    "load image-archive": ["--name="],
};

function parse(words, known) {
    const [flags, rest] = [{}, []];
    for (let at = 0; at < words.length; at += 1) {
        if (!words[at].startsWith("--")) rest.push(words[at]);
        else if (known.includes(words[at])) flags[words[at]] = true;
        else if (known.includes(`${words[at]}=`)) flags[words[at]] = words[(at += 1)];
        else fail(`unknown flag: ${words[at]}`, 125);
    }
    return { flags, rest };
}

if (args[0] === "--version") {
    console.log(
        `${state.version?.[name] ?? `${name === "docker" ? "Docker" : name} version 29.1.0`}`,
    );
    process.exit(0);
}
const command = FLAGS[`${args[0]} ${args[1]}`] ? `${args[0]} ${args[1]}` : args[0];
if (!FLAGS[command]) fail(`unknown command: ${args.join(" ")}`);
const words = args.slice(command.split(" ").length);
// What comes after the container's name is a command of its own.
const { flags, rest } =
    command === "exec" ? { flags: {}, rest: words } : parse(words, FLAGS[command]);

const needDaemon = () => {
    if (name !== "kind" && !state.engines.includes(name)) fail("Cannot connect to the daemon");
};
const node = () => state.node ?? fail("No such container");
needDaemon();

const COMMANDS = {
    ps: () => (state.node && flags["--all"] ? console.log("0123456789ab") : undefined),
    inspect: () => console.log(node().status),
    "image inspect": () => {
        if (!rest.every((one) => state.images.includes(one))) fail("No such image");
        console.log(flags["--format"] ? "arm64" : "[{}]");
    },
    images: () => {
        const [, prefix] = flags["--filter"].split("=");
        for (const one of state.images) if (one.startsWith(`${prefix}:`)) console.log(one);
    },
    build: () => {
        state.attested = process.env.BUILDX_NO_DEFAULT_ATTESTATIONS !== "1";
        state.images.push(...args.filter((_, at) => args[at - 1] === "--tag"));
    },
    save: () => writeFileSync(flags["--output"], JSON.stringify({ images: rest, ...flags })),
    rmi: () => (state.images = state.images.filter((one) => !rest.includes(one))),
    rm: () => delete state.node,
    start: () => {
        if (node().broken) fail("OCI runtime create failed");
        node().status = "running";
    },
    unpause: () => (node().status = "running"),
    cp: () => {
        if (node().removing) fail("container is marked for removal");
        if (rest[0] !== "property-search-control-plane:/kind/.") fail(`cp ${rest[0]}?`);
        writeFileSync(path.join(rest[1], "version"), "v1.37.0");
        if (node().stamp) writeFileSync(path.join(rest[1], "property-search"), node().stamp);
    },
    exec: () => {
        if (node().status !== "running") fail("container is not running");
        const [, program, ...more] = rest;
        if (program === "sh") {
            node().stamp = /'(.*)'/.exec(more[1])[1];
        } else if (program === "ctr") console.log(node().images.join("\n"));
        else if (program === "kubectl") console.log(node().ready ? "ok" : fail("refused"));
        else fail(`exec ${program}?`);
    },
    "create cluster": () => {
        if (state.node) fail('node(s) already exist for a cluster with the name "property-search"');
        const config = readFileSync(0, "utf8");
        state.node = { status: "running", images: [], ready: true, config };
        keep();
        if (state.killsCreate) process.exit(137);
    },
    "export kubeconfig": () => writeFileSync(flags["--kubeconfig"], "apiVersion: v1\n"),
    "load image-archive": () => {
        const archive = JSON.parse(readFileSync(rest[0], "utf8"));
        if (!existsSync(rest[0]) || state.attested) fail("ctr: content digest sha256:…: not found");
        node().images.push(...archive.images);
        state.loadedPlatform = archive["--platform"];
    },
};
if (name === "kind") state.provider = process.env.KIND_EXPERIMENTAL_PROVIDER;
COMMANDS[command]();
keep();
