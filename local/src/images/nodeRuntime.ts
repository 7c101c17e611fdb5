import { readFileSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../paths.ts";
import { run, type Step } from "../shell.ts";

/** The pinned version, whichever one this machine has. */
export const NODE_VERSION = readFileSync(path.join(REPOSITORY, ".node-version"), "utf8").trim();
const NPM_VERSION = "11.19.1";

/** npm's own package of Node, which needs no other library of this machine's than an image has. */
const NODE_PACKAGE = `node-linux-${process.arch}`;

/** Lines of a Dockerfile that bring in what `installNode` has put into its context. */
export const NODE_LINES = [
    `LABEL org.opencontainers.image.version="${NODE_VERSION}" npm="${NPM_VERSION}"`,
    `COPY npm/node_modules/${NODE_PACKAGE}/bin/node /usr/local/bin/node`,
    "COPY npm/node_modules/npm /usr/local/lib/node_modules/npm",
    "RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm",
];

export async function installNode(step: Step, folder: string): Promise<void> {
    const packages = [`${NODE_PACKAGE}@${NODE_VERSION}`, `npm@${NPM_VERSION}`];
    const options = ["--ignore-scripts", "--no-audit", "--no-fund"];
    await run(
        step,
        "npm",
        ["install", "--prefix", path.join(folder, "npm"), ...options, ...packages],
        {
            doing: `installing ${packages.join(" and ")}`,
        },
    );
}
