import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/*
 * The script that publishes the image, with doubles of docker and cosign: a registry and the identity of a
 * workflow are to be had on GitHub only. They note how they are called, and answer as a registry would.
 */

const SCRIPT = path.resolve(import.meta.dirname, "../publish.sh");
const REPOSITORY = "ghcr.io/Acme/Platform/embedding-service";
const DIGEST = `sha256:${"a".repeat(64)}`;
const BUILT = `sha256:${"b".repeat(64)}`;

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "publish-"));
    double(
        "docker",
        `case "$*" in
            "buildx version") ! [ -f "$FOLDER/plain" ]; exit ;;
            *imagetools*) [ -f "$FOLDER/there" ] && echo ${DIGEST} ;;
            *build*) while [ $# -gt 0 ]; do [ "$1" != --metadata-file ] || file=$2; shift; done
                echo '{ "containerimage.digest": "${BUILT}" }' > "$file" ;;
        esac`,
    );
    double("make", `mkdir -p "\${2#OUT=}"; echo '{}' > "\${2#OUT=}/app.cdx.json"`);
    double("cosign", `case "$1" in verify) [ -f "$FOLDER/signed" ] ;; esac`);
    // The sources count as committed, whatever the state of this checkout.
    double(
        "git",
        `case "$1" in status) cat "$FOLDER/changed" 2>/dev/null ;; *) exec /usr/bin/git "$@" ;; esac; true`,
    );
});
afterEach(() => {
    rmSync(folder, { recursive: true });
});

function double(name: string, script: string): void {
    const text = `#!/bin/bash\nFOLDER=${folder}\necho "${name} $*" >> "$FOLDER/calls"\n${script}\n`;
    writeFileSync(path.join(folder, name), text, { mode: 0o755 });
}

function publish(...words: string[]) {
    const { status, stdout, stderr } = spawnSync(SCRIPT, words, {
        encoding: "utf8",
        env: {
            PATH: `${folder}:${process.env.PATH ?? ""}`,
            GITHUB_REPOSITORY: "Acme/Platform",
            GITHUB_OUTPUT: path.join(folder, "output"),
        },
    });
    const file = (name: string) =>
        existsSync(path.join(folder, name)) ? readFileSync(path.join(folder, name), "utf8") : "";
    return { status, stdout, stderr, calls: file("calls"), output: file("output") };
}
const mark = (name: string, text = "") => {
    writeFileSync(path.join(folder, name), text);
};

describe("publishing the image", () => {
    test("names a Docker without buildx before it builds", () => {
        mark("plain");
        const { status, stderr } = publish(REPOSITORY);
        expect(status).toBe(1);
        expect(stderr).toMatch(/^docker buildx is missing: install Docker/);
    });

    test("builds, pushes and signs by digest if the registry lacks the image", () => {
        const { status, calls, output } = publish(REPOSITORY);
        expect(status).toBe(0);
        const [, tag] = /--tag (\S+)/.exec(calls) ?? [];
        expect(tag).toMatch(/^ghcr\.io\/acme\/platform\/embedding-service:src-[0-9a-f]{12}$/);
        expect(calls).toContain("--push .");
        expect(calls).toContain(
            `cosign sign --yes ghcr.io/acme/platform/embedding-service@${BUILT}`,
        );
        expect(calls).toMatch(
            /cosign attest --yes --type cyclonedx --predicate \S+\/app\.cdx\.json ghcr\S+@sha256:b{64}\n/,
        );
        expect(output).toMatch(
            /^image=ghcr\.io\/acme\/platform\/embedding-service@sha256:b{64}\nversion=v1\.0\.0-[0-9a-f]{12}\n$/,
        );
    });

    test("builds that of insights from its own sources", () => {
        const { status, calls, output } = publish("ghcr.io/acme/insights", "insights");
        expect(status).toBe(0);
        expect(calls).toContain(
            "buildx build --file insights/Dockerfile --tag ghcr.io/acme/insights:src-",
        );
        const sources = /^git ls-tree HEAD (.*)$/m.exec(calls)?.[1] ?? "";
        expect(sources).toMatch(
            /^insights\/Dockerfile insights\/package\.json insights\/src contract\//,
        );
        expect(sources).not.toContain("app/");
        expect(output).toMatch(/^image=ghcr\.io\/acme\/insights@sha256:b{64}\n/);
    });

    test("reuses an image with the same content that the workflow signed", () => {
        mark("there");
        mark("signed");
        const { status, calls, output } = publish(REPOSITORY);
        expect(status).toBe(0);
        expect(calls).not.toContain("docker buildx build");
        expect(calls).toContain(
            "--certificate-identity-regexp ^https://github\\.com/Acme/Platform/\\.github/workflows/deploy\\.yml@refs/heads/main$",
        );
        expect(output).toContain(`@${DIGEST}\n`);
    });

    test("never signs an image that somebody else pushed under the tag", () => {
        mark("there");
        const { calls, output } = publish(REPOSITORY);
        expect(calls).not.toContain(`sign --yes ghcr.io/acme/platform/embedding-service@${DIGEST}`);
        expect(output).toContain(`@${BUILT}\n`);
    });

    test.each([
        [[], /REPOSITORY is ""; allowed: a registry and a name/],
        [
            ["ghcr.io/acme/service", "local"],
            /WORKSPACE is "local"; allowed: app, insights, examples\/property-search/,
        ],
        [["embedding-service"], /REPOSITORY is "embedding-service"; allowed/],
        [["Bad/Name"], /REPOSITORY is "Bad\/Name"; allowed: a registry and a name/],
        [["--verify", "ghcr.io/acme/service:v1"], /IMAGE is "ghcr\.io\/acme\/service:v1"; allowed/],
    ])("%j is rejected", (words, said) => {
        const { status, stderr, calls } = publish(...words);
        expect(status).toBe(1);
        expect(stderr).toMatch(said);
        expect(calls).toBe("");
    });

    test("rejects uncommitted sources", () => {
        mark("changed", " M app/src/server.ts");
        const { status, stderr } = publish(REPOSITORY);
        expect(status).toBe(1);
        expect(stderr).toContain("is not committed:\n M app/src/server.ts");
    });

    test("an image that our workflow did not sign fails its verification", () => {
        expect(publish("--verify", `ghcr.io/acme/service@${DIGEST}`).status).not.toBe(0);
        mark("signed");
        expect(publish("--verify", `ghcr.io/acme/service@${DIGEST}`).status).toBe(0);
    });
});
