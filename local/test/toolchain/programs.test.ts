import { expect, test } from "@jest/globals";
import { existsSync } from "node:fs";
import path from "node:path";
import { IMAGES } from "../../src/images/catalogue.ts";
import { REPOSITORY } from "../../src/paths.ts";
import { createFlags } from "../../src/toolchain/go.ts";
import {
    ACTIONLINT,
    CERT_MANAGER,
    COMPLETING,
    HELM,
    KIND,
    PEBBLE,
    PULUMI,
    SERVING,
} from "../../src/toolchain/programs.ts";

const BUILDS = [SERVING, COMPLETING, PULUMI, ACTIONLINT, CERT_MANAGER, HELM, KIND, PEBBLE];

test("every build has a name of its own, and pinned modules", () => {
    expect(new Set(BUILDS.map(({ name }) => name)).size).toBe(BUILDS.length);
    for (const { module } of BUILDS) {
        const folder = path.join(REPOSITORY, "local/toolchain", module);
        expect(["go.mod", "go.sum"].filter((file) => !existsSync(path.join(folder, file)))).toEqual(
            [],
        );
    }
});

test("every program of our own source exists, and no two share a file", () => {
    for (const { module, programs } of BUILDS) {
        const own = programs.filter((program) => program.package === undefined);
        const missing = own.filter(
            ({ name }) =>
                !existsSync(
                    path.join(REPOSITORY, "local/toolchain", module, "cmd", name, "main.go"),
                ),
        );
        expect(missing).toEqual([]);
        const files = programs.map(({ name, package: from }) => path.basename(from ?? name));
        expect(new Set(files).size).toBe(files.length);
    }
});

test("both builds of the cluster share one module graph and all flags, so they share packages", () => {
    expect(COMPLETING.module).toBe(SERVING.module);
    expect(createFlags(COMPLETING)).toEqual(createFlags(SERVING));
});

test("what completes has an image each, and what an image holds is built or downloaded", () => {
    const binaries = IMAGES.flatMap(({ recipe }) =>
        recipe.kind === "binary" ? [recipe.binary] : [],
    );
    const built = [...SERVING.programs, ...COMPLETING.programs].map(({ name }) => name);
    const others = [...CERT_MANAGER.programs, ...PEBBLE.programs].flatMap((program) => [
        program.name,
        ...(program.links ?? []),
    ]);
    expect(binaries.filter((name) => ![...built, ...others].includes(name))).toEqual(["traefik"]);
    expect(COMPLETING.programs.filter(({ name }) => !binaries.includes(name))).toEqual([]);
});
