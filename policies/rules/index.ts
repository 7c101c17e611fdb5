import type { Rule } from "../core/rule.ts";
import { apiVersions } from "./apiVersions.ts";
import { autoscalerMetric } from "./autoscalerMetric.ts";
import { colourParity } from "./colourParity.ts";
import { cpuLimit } from "./cpuLimit.ts";
import { disruptionBudget } from "./disruptionBudget.ts";
import { duplicates } from "./duplicates.ts";
import { ephemeralStorage } from "./ephemeralStorage.ts";
import { fields } from "./fields.ts";
import { gracePeriod } from "./gracePeriod.ts";
import { imageRegistry } from "./imageRegistry.ts";
import { imageTag } from "./imageTag.ts";
import { livenessProbe } from "./livenessProbe.ts";
import { memoryLimit } from "./memoryLimit.ts";
import { networkPolicy } from "./networkPolicy.ts";
import { permissions } from "./permissions.ts";
import { podSecurity } from "./podSecurity.ts";
import { preStop } from "./preStop.ts";
import { probeHandler } from "./probeHandler.ts";
import { probePort } from "./probePort.ts";
import { probeTiming } from "./probeTiming.ts";
import { quantities } from "./quantities.ts";
import { readinessProbe } from "./readinessProbe.ts";
import { references } from "./references.ts";
import { replicas } from "./replicas.ts";
import { resourceRequests } from "./resourceRequests.ts";
import { rollingUpdate } from "./rollingUpdate.ts";
import { routeWeights } from "./routeWeights.ts";
import { secretLiterals } from "./secretLiterals.ts";
import { secretValues } from "./secretValues.ts";
import { serviceAccount } from "./serviceAccount.ts";
import { serviceSelector } from "./serviceSelector.ts";
import { startupProbe } from "./startupProbe.ts";
import { statefulService } from "./statefulService.ts";
import { topologySpread } from "./topologySpread.ts";

/** All rules, in the order in which they are told. */
export const RULES: readonly Rule[] = [
    // Objects as the API takes them
    fields,
    apiVersions,
    duplicates,
    references,
    // Probes
    readinessProbe,
    livenessProbe,
    startupProbe,
    probeTiming,
    probePort,
    probeHandler,
    // How pods begin and end
    preStop,
    gracePeriod,
    rollingUpdate,
    // Resources
    resourceRequests,
    memoryLimit,
    cpuLimit,
    ephemeralStorage,
    quantities,
    // Images
    imageTag,
    imageRegistry,
    // What a pod may do, and what it knows
    podSecurity,
    serviceAccount,
    secretLiterals,
    secretValues,
    permissions,
    // The whole stack: how many, where, who may reach whom, and the two colours
    replicas,
    disruptionBudget,
    topologySpread,
    networkPolicy,
    serviceSelector,
    statefulService,
    routeWeights,
    colourParity,
    autoscalerMetric,
];
