import {
    COLOURS,
    NAMESPACES,
    otherColour,
    RELEASE,
    RELEASE_ANNOTATIONS,
    SERVICE_NAMES,
    type Colour,
    type Weights,
} from "@property-search/contract";
import { ROUTE, routeWeights, type Route } from "../../shared/route.ts";
import type { Manifest } from "../../cluster/connect.ts";
import { clusterCapacity } from "../../release/capacity/capacity.ts";
import type { Context } from "../../release/commands/context.ts";
import type { Analysis, Ports } from "../../release/machine/ports.ts";
import { routeStatus } from "../../release/traffic/status.ts";
import { candidateWeights } from "../../release/state.ts";
import { clusterStore } from "../../release/store/record.ts";
import { Rejected, ReleaseError } from "../../release/error.ts";
import { directTraffic } from "../../release/traffic/direct.ts";
import { withFieldOwnership } from "../../release/traffic/withFieldOwnership.ts";
import type { Traffic } from "../../release/traffic/traffic.ts";
import { caller, type Caller, type CallerOptions } from "./caller.ts";
import { ObjectStore } from "./objectStore.ts";
import { VirtualClock } from "./virtualClock.ts";

const OWNER = "property-search-deploy";

/** Behaviour of the platform. */
export interface Behaviour {
    readonly start: Colour;
    /** Serving pods at the start. */
    readonly ready: number;
    /** Seconds until the gateway applies a changed route. */
    readonly gatewayLag: number;
    /** Seconds until a requested pod is ready; Infinity: never. */
    readonly podLag: number;
    /** Ready pods of the candidate's newest build. Default: all of its pods */
    readonly updated?: number;
    /** Seconds from the start until the judge has enough data; undefined: unknown. */
    readonly unseen: { readonly seconds: number | undefined } | undefined;
    /** Verdicts of a step's analyses; the last one repeats. */
    readonly looks: (weight: number) => readonly Analysis["verdict"][];
    readonly smoke: readonly string[];
    /** Reason for which the service rejects the driver's API key. */
    readonly keyProblem: string | undefined;
    readonly differs: boolean;
    /** Owner of the weights. */
    readonly owner: Traffic["kind"];
}

export const WELL: Behaviour = {
    start: "blue",
    ready: 3,
    gatewayLag: 2,
    podLag: 5,
    unseen: undefined,
    looks: () => ["inconclusive", "pass"],
    smoke: [],
    keyProblem: undefined,
    differs: false,
    owner: "direct",
};

/** An in-memory platform with its controllers and the checks of its invariants. */
export class World {
    readonly clock = new VirtualClock();
    readonly server = new ObjectStore();
    readonly broken: string[] = [];
    readonly trusted = new Set<Colour>();
    readonly onTrial = new Set<Colour>();
    readonly behaviour: Behaviour;
    settled: Weights | undefined;
    /** Weights of the stack's config, if Pulumi owns them. */
    config: Weights;
    /** Reason of failing updates: a rejected config, or an unknown one. */
    ownerFails: "rejected" | "somehow" | undefined;
    /** Number of attempted updates. */
    updates = 0;
    #inForce: Weights;
    #fence = 0;
    #looks = 0;
    #lookedAt = NaN;
    readonly #begunAt = this.clock.now();

    constructor(behaviour: Partial<Behaviour> = {}) {
        this.behaviour = { ...WELL, ...behaviour };
        const { start, ready, updated } = this.behaviour;
        this.config = all(start);
        this.#inForce = all(start);
        this.trusted.add(start);
        this.server.apply(route(this.config), OWNER, false);
        this.server.change(ROUTE, acceptedNow);
        for (const colour of COLOURS) {
            const pods = colour === start ? ready : 2;
            this.server.apply(scaledObject(colour), OWNER, false);
            const ofBuild = colour === start ? pods : (updated ?? pods);
            this.server.create(deployment(colour, pods, ofBuild));
        }
        this.server.onWrite = (before, after) => this.#written(before, after);
    }

    /** Weights of the route. */
    weights(): Weights {
        return routeWeights(this.route());
    }

    route(): Route {
        return this.server.read(ROUTE) as Route;
    }

    floor(colour: Colour): number {
        const { spec } = this.server.read(reference("ScaledObject", colour)) as unknown as {
            spec: Record<string, number>;
        };
        return spec.minReplicaCount ?? NaN;
    }

    /** Whether the driver still owns fields of a deploy. */
    leftovers(): readonly string[] {
        return COLOURS.flatMap((colour) => {
            const object = this.server.read(reference("ScaledObject", colour));
            const fields = object?.metadata.managedFields ?? [];
            return fields.some(({ manager }) => manager === RELEASE.fieldManager) ? [colour] : [];
        });
    }

    /** The dependencies of one process. */
    driver(name: string, options: CallerOptions = {}): Context & Caller {
        const own = caller(this.server, options);
        const { clock } = this;
        return {
            ...own,
            store: clusterStore(own.api),
            clock,
            createPorts: (direct) => Promise.resolve(this.#ports(own, direct)),
            report: () => undefined,
            actor: name,
            holder: `${name}/1`,
            hasExited: () => false,
        };
    }

    #ports({ api, point }: Caller, direct: boolean): Ports {
        const outside = async <T>(work: () => T): Promise<T> => {
            await point();
            const result = work();
            await point();
            return result;
        };
        const isDirect = direct || this.behaviour.owner === "direct";
        return {
            clock: this.clock,
            traffic: isDirect ? directTraffic(api) : withFieldOwnership(api, this.#pulumi(point)),
            route: routeStatus(api),
            capacity: clusterCapacity(api),
            dataPlane: {
                shares: (weights) =>
                    outside(() => {
                        const { blue, green } = this.#inForce;
                        return { matches: green === weights.green, text: `${blue}/${green}` };
                    }),
                keyProblem: () => outside(() => this.behaviour.keyProblem),
                smoke: () => outside(() => this.behaviour.smoke),
                compare: () =>
                    outside(() => {
                        if (this.behaviour.smoke.length > 0) throw new Error("fetch failed");
                        return this.behaviour.differs ? ["other vectors"] : [];
                    }),
            },
            judge: { analyze: ({ since }) => outside(() => this.#look(since)) },
            quarantine: {
                begin: (colour) => outside(() => void this.onTrial.add(colour)),
                promote: (colour) =>
                    outside(() => {
                        this.onTrial.delete(colour);
                        this.trusted.add(colour);
                    }),
            },
            writeWeightsToConfig: () => outside(() => void (this.settled = this.weights())),
        };
    }

    /** An owner that sets the stack's config and updates the route without force. */
    #pulumi(point: () => Promise<void>): Traffic {
        return {
            kind: "pulumi",
            read: () => Promise.resolve(this.config),
            check: () => Promise.resolve(this.ownerFails === "rejected" ? "x is wrong" : undefined),
            force: (weights) => {
                this.config = weights;
                return Promise.resolve();
            },
            set: async (weights) => {
                await point();
                this.updates += 1;
                if (this.ownerFails === "rejected") throw new Rejected("x is wrong");
                if (this.ownerFails) throw new ReleaseError("no answer");
                this.config = weights;
                await point();
                this.server.apply(route(weights), OWNER, false);
                await point();
            },
        };
    }

    #look(since: number): Analysis {
        const { unseen } = this.behaviour;
        const { seconds = Infinity } = unseen ?? { seconds: 0 };
        if (this.clock.now() < this.#begunAt + seconds * 1000) {
            const until = unseen?.seconds && this.#begunAt / 1000 + unseen.seconds;
            return {
                verdict: "inconclusive",
                reasons: ["unseen"],
                ...(until && { readyAt: until }),
            };
        }
        if (since !== this.#lookedAt) [this.#looks, this.#lookedAt] = [0, since];
        const weights = this.weights();
        const weight = weights[otherColour(this.behaviour.start)];
        const looks = this.behaviour.looks(weight);
        const verdict = looks[Math.min(this.#looks, looks.length - 1)] ?? "inconclusive";
        this.#looks += 1;
        return { verdict, reasons: verdict === "pass" ? [] : [verdict], figures: {} };
    }

    #written(before: Manifest | undefined, after: Manifest): void {
        if (after.kind === "HTTPRoute") this.#routeWritten(before, after);
        if (after.kind === "ScaledObject") this.#floorWritten(after);
    }

    #routeWritten(before: Manifest | undefined, after: Route): void {
        const weights = routeWeights(after);
        const fence = Number(after.metadata.annotations?.[RELEASE_ANNOTATIONS.fence] ?? 0);
        if (fence < this.#fence) this.broken.push(`fence ${fence} after ${this.#fence}`);
        this.#fence = Math.max(fence, this.#fence);
        if (weights.blue + weights.green !== 100) this.broken.push("weights do not sum to 100");
        for (const colour of COLOURS) {
            if (weights[colour] > 0 && this.#ready(colour) === 0) {
                this.broken.push(`${weights[colour]} % to ${colour}, which has no ready pod`);
            }
        }
        if (before?.metadata.generation === after.metadata.generation) return;
        const { generation } = after.metadata;
        this.#later(this.behaviour.gatewayLag, () => {
            const now = this.route();
            if (now.metadata.generation !== generation) return;
            this.#inForce = routeWeights(now);
            this.server.change(ROUTE, acceptedNow);
        });
    }

    #floorWritten(after: Manifest): void {
        const colour = COLOURS.find((one) => NAMESPACES[one] === after.metadata.namespace);
        if (!colour) return;
        const floor = this.floor(colour);
        if (this.#ready(colour) >= floor) return;
        this.server.change(reference("Deployment", colour), (object) => {
            Object.assign((object as { spec?: object }).spec ?? {}, { replicas: floor });
        });
        if (this.behaviour.podLag === Infinity) return;
        this.#later(this.behaviour.podLag, () => {
            this.server.change(reference("Deployment", colour), (object) => {
                object.status = podStatus(Math.max(floor, this.#ready(colour)), object);
            });
        });
    }

    #ready(colour: Colour): number {
        const object = this.server.read(reference("Deployment", colour));
        const { status } = object as Manifest & { status?: { readyReplicas: number } };
        return status?.readyReplicas ?? 0;
    }

    #later(seconds: number, work: () => void): void {
        void this.clock.sleep(seconds * 1000).then(work);
    }
}

export function all(colour: Colour): Weights {
    return candidateWeights(colour, 100);
}

function reference(kind: "ScaledObject" | "Deployment", colour: Colour) {
    const apiVersion = kind === "Deployment" ? "apps/v1" : "keda.sh/v1alpha1";
    return { apiVersion, kind, namespace: NAMESPACES[colour], name: SERVICE_NAMES[colour] };
}

function route(weights: Weights): Manifest {
    const ref = (colour: Colour, weight: number) => ({ name: SERVICE_NAMES[colour], weight });
    const { apiVersion, kind, namespace, name } = ROUTE;
    const spec = {
        rules: [
            ...COLOURS.map((colour) => ({ backendRefs: [ref(colour, 1)] })),
            { backendRefs: COLOURS.map((colour) => ref(colour, weights[colour])) },
        ],
    };
    return { apiVersion, kind, metadata: { namespace, name }, spec } as Manifest;
}

function scaledObject(colour: Colour): Manifest {
    const { apiVersion, kind, namespace, name } = reference("ScaledObject", colour);
    const spec = { minReplicaCount: 2, maxReplicaCount: 10 };
    return { apiVersion, kind, metadata: { namespace, name }, spec } as Manifest;
}

function deployment(colour: Colour, pods: number, updated: number): Manifest {
    const { apiVersion, kind, namespace, name } = reference("Deployment", colour);
    const labels = { "app.kubernetes.io/version": `${colour}-version` };
    const spec = { replicas: pods, template: { metadata: { labels } } };
    const object = { apiVersion, kind, metadata: { namespace, name, generation: 1 }, spec };
    const status = { ...podStatus(pods, object), updatedReplicas: updated };
    return { ...object, status } as unknown as Manifest;
}

function podStatus(pods: number, { metadata }: { metadata: { generation?: number } }) {
    const replicas = { replicas: pods, readyReplicas: pods, updatedReplicas: pods };
    return { observedGeneration: metadata.generation ?? 1, ...replicas };
}

function acceptedNow(object: Manifest & { status?: unknown }): void {
    const observedGeneration = object.metadata.generation;
    const conditions = ["Accepted", "ResolvedRefs"].map((type) => ({
        type,
        status: "True",
        observedGeneration,
    }));
    object.status = { parents: [{ conditions }] };
}
