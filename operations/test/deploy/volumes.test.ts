import { describe, expect, test } from "@jest/globals";
import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";
import { planVolumes, type LiveVolumes, type StatefulSetManifest } from "../../deploy/volumes.ts";

const template = (storage: string, storageClassName?: string) => ({
    metadata: { name: "data" },
    spec: {
        ...(storageClassName !== undefined && { storageClassName }),
        resources: { requests: { storage } },
    },
});
const wanted = (storage: string, storageClassName?: string) =>
    ({
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "redis-cluster", namespace: "data" },
        spec: { volumeClaimTemplates: [template(storage, storageClassName)] },
    }) as StatefulSetManifest;
const claim = (
    name: string,
    storage: string,
    storageClassName = "fast",
): V1PersistentVolumeClaim => ({
    metadata: { name, namespace: "data" },
    spec: { storageClassName, resources: { requests: { storage } } },
});
const live = (storage: string, change: Partial<LiveVolumes> = {}): LiveVolumes => ({
    set: {
        spec: {
            selector: {},
            template: {},
            volumeClaimTemplates: [template(storage)],
        },
    },
    claims: ["data-redis-cluster-0", "data-redis-cluster-1"].map((name) => claim(name, storage)),
    classes: [{ metadata: { name: "fast" }, provisioner: "csi", allowVolumeExpansion: true }],
    ...change,
});
const NOTHING = { problems: [], isRecreated: false, resizes: {} };

describe("volumes of a StatefulSet", () => {
    test("stay unchanged for an equal size in another notation", () => {
        expect(planVolumes(wanted("2Gi"), live("2048Mi"))).toEqual(NOTHING);
    });

    test.each(["3G", "3000000000", "0.003T", "2929687.5Ki"])(
        "that somebody made with %s do not shrink",
        (size) => {
            const { problems } = planVolumes(wanted("2Gi"), live(size));
            expect(problems[0]).toContain(`has ${size}; allowed: no less`);
        },
    );

    test("of a first deploy need no change", () => {
        expect(planVolumes(wanted("2Gi"), { ...live("2Gi"), set: undefined, claims: [] })).toEqual(
            NOTHING,
        );
    });

    test("grow if their class allows it, and the set is recreated", () => {
        expect(planVolumes(wanted("4Gi"), live("2Gi"))).toEqual({
            problems: [],
            isRecreated: true,
            resizes: { "data-redis-cluster-0": "4Gi", "data-redis-cluster-1": "4Gi" },
        });
    });

    test("stay if the set is recreated for its pod management policy", () => {
        const manifest = wanted("2Gi");
        const parallel = { ...manifest.spec, podManagementPolicy: "Parallel" };
        expect(planVolumes({ ...manifest, spec: parallel }, live("2Gi"))).toEqual({
            ...NOTHING,
            isRecreated: true,
        });
        const none = { ...live("2Gi"), set: undefined };
        expect(planVolumes({ ...manifest, spec: parallel }, none)).toEqual(NOTHING);
    });

    test("continue to grow after a deploy that was killed", () => {
        const half = live("4Gi", {
            claims: [claim("data-redis-cluster-0", "4Gi"), claim("data-redis-cluster-1", "2Gi")],
        });
        const growing = { "data-redis-cluster-1": "4Gi" };
        expect(planVolumes(wanted("4Gi"), half)).toEqual({ ...NOTHING, resizes: growing });
        expect(planVolumes(wanted("4Gi"), { ...half, set: undefined })).toEqual({
            ...NOTHING,
            resizes: growing,
        });
    });

    test("of other sets are ignored", () => {
        const claims = ["data-redis-cluster-x-0", "data-redis-0", "other-redis-cluster-0"].map(
            (name) => claim(name, "1Gi"),
        );
        expect(planVolumes(wanted("2Gi"), live("2Gi", { claims }))).toEqual(NOTHING);
    });

    test.each([
        [
            "shrink",
            wanted("1Gi"),
            live("2Gi"),
            /the size is "1Gi", and volume data-redis-cluster-0 has 2Gi; allowed: no less/,
        ],
        [
            "change their class",
            wanted("2Gi", "slow"),
            live("2Gi"),
            /volume data-redis-cluster-0 has storage class "fast", not "slow"/,
        ],
        [
            "grow where their class does not allow it",
            wanted("4Gi"),
            live("2Gi", { classes: [{ metadata: { name: "fast" }, provisioner: "csi" }] }),
            /allowed: 2Gi, since storage class "fast" does not allow volume expansion/,
        ],
    ])("never %s: that is rejected with the runbook", (_, manifest, state, words) => {
        const { problems } = planVolumes(manifest, state);
        expect(problems).toHaveLength(2);
        expect(problems[0]).toMatch(words);
        expect(problems[0]).toMatch(
            /^StatefulSet data\/redis-cluster: .*docs\/runbooks\/volumes\.md/,
        );
    });
});
