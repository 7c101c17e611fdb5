import type { Mutation, RuleMutation } from "../mutations/mutation.ts";
import { mutations as apiVersions } from "./apiVersions/mutations.ts";
import { mutations as autoscalerMetric } from "./autoscalerMetric/mutations.ts";
import { mutations as colourParity } from "./colourParity/mutations.ts";
import { mutations as cpuLimit } from "./cpuLimit/mutations.ts";
import { mutations as disruptionBudget } from "./disruptionBudget/mutations.ts";
import { mutations as duplicates } from "./duplicates/mutations.ts";
import { mutations as ephemeralStorage } from "./ephemeralStorage/mutations.ts";
import { mutations as fields } from "./fields/mutations.ts";
import { mutations as gracePeriod } from "./gracePeriod/mutations.ts";
import { mutations as imageRegistry } from "./imageRegistry/mutations.ts";
import { mutations as imageTag } from "./imageTag/mutations.ts";
import { mutations as livenessProbe } from "./livenessProbe/mutations.ts";
import { mutations as memoryLimit } from "./memoryLimit/mutations.ts";
import { mutations as networkPolicy } from "./networkPolicy/mutations.ts";
import { mutations as permissions } from "./permissions/mutations.ts";
import { mutations as podSecurity } from "./podSecurity/mutations.ts";
import { mutations as preStop } from "./preStop/mutations.ts";
import { mutations as probeHandler } from "./probeHandler/mutations.ts";
import { mutations as probePort } from "./probePort/mutations.ts";
import { mutations as probeTiming } from "./probeTiming/mutations.ts";
import { mutations as quantities } from "./quantities/mutations.ts";
import { mutations as readinessProbe } from "./readinessProbe/mutations.ts";
import { mutations as references } from "./references/mutations.ts";
import { mutations as replicas } from "./replicas/mutations.ts";
import { mutations as resourceRequests } from "./resourceRequests/mutations.ts";
import { mutations as rollingUpdate } from "./rollingUpdate/mutations.ts";
import { mutations as routeWeights } from "./routeWeights/mutations.ts";
import { mutations as secretLiterals } from "./secretLiterals/mutations.ts";
import { mutations as secretValues } from "./secretValues/mutations.ts";
import { mutations as serviceAccount } from "./serviceAccount/mutations.ts";
import { mutations as serviceSelector } from "./serviceSelector/mutations.ts";
import { mutations as startupProbe } from "./startupProbe/mutations.ts";
import { mutations as statefulService } from "./statefulService/mutations.ts";
import { mutations as topologySpread } from "./topologySpread/mutations.ts";

/** Mutations by the folder of the rule that has to report them. */
const BY_FOLDER: Readonly<Record<string, readonly RuleMutation[]>> = {
    // Validity of objects, references and permissions
    fields,
    apiVersions,
    duplicates,
    references,
    statefulService,
    permissions,
    secretValues,
    // Probes, start and termination of pods
    readinessProbe,
    livenessProbe,
    startupProbe,
    probeTiming,
    probePort,
    probeHandler,
    preStop,
    gracePeriod,
    rollingUpdate,
    // Requests and limits
    resourceRequests,
    memoryLimit,
    cpuLimit,
    ephemeralStorage,
    quantities,
    // Images, privileges and secrets
    imageTag,
    imageRegistry,
    podSecurity,
    serviceAccount,
    secretLiterals,
    // Replicas, placement and disruption
    replicas,
    disruptionBudget,
    topologySpread,
    autoscalerMetric,
    // Routing, and the two colours
    networkPolicy,
    serviceSelector,
    routeWeights,
    colourParity,
};

/** All mutations; a rule has the name of its folder. */
export const MUTATIONS: readonly Mutation[] = Object.entries(BY_FOLDER).flatMap(
    ([folder, mutations]) => {
        const rule = folder.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
        return mutations.map((mutation) => ({ rule, ...mutation }));
    },
);
