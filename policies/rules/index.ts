import type { Rule } from "../engine/rule.ts";
import { apiVersions } from "./apiVersions/rule.ts";
import { autoscalerMetric } from "./autoscalerMetric/rule.ts";
import { colourParity } from "./colourParity/rule.ts";
import { cpuLimit } from "./cpuLimit/rule.ts";
import { disruptionBudget } from "./disruptionBudget/rule.ts";
import { duplicates } from "./duplicates/rule.ts";
import { ephemeralStorage } from "./ephemeralStorage/rule.ts";
import { fields } from "./fields/rule.ts";
import { gracePeriod } from "./gracePeriod/rule.ts";
import { imageRegistry } from "./imageRegistry/rule.ts";
import { imageTag } from "./imageTag/rule.ts";
import { livenessProbe } from "./livenessProbe/rule.ts";
import { memoryLimit } from "./memoryLimit/rule.ts";
import { networkPolicy } from "./networkPolicy/rule.ts";
import { permissions } from "./permissions/rule.ts";
import { podSecurity } from "./podSecurity/rule.ts";
import { preStop } from "./preStop/rule.ts";
import { probeHandler } from "./probeHandler/rule.ts";
import { probePort } from "./probePort/rule.ts";
import { probeTiming } from "./probeTiming/rule.ts";
import { quantities } from "./quantities/rule.ts";
import { readinessProbe } from "./readinessProbe/rule.ts";
import { references } from "./references/rule.ts";
import { replicas } from "./replicas/rule.ts";
import { resourceRequests } from "./resourceRequests/rule.ts";
import { rollingUpdate } from "./rollingUpdate/rule.ts";
import { routeWeights } from "./routeWeights/rule.ts";
import { secretLiterals } from "./secretLiterals/rule.ts";
import { secretValues } from "./secretValues/rule.ts";
import { serviceAccount } from "./serviceAccount/rule.ts";
import { serviceSelector } from "./serviceSelector/rule.ts";
import { startupProbe } from "./startupProbe/rule.ts";
import { statefulService } from "./statefulService/rule.ts";
import { topologySpread } from "./topologySpread/rule.ts";

/** All rules, in the order of reports. */
export const RULES: readonly Rule[] = [
    // Validity of objects
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
    // Start and termination of pods
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
    // Privileges and secrets
    podSecurity,
    serviceAccount,
    secretLiterals,
    secretValues,
    permissions,
    // The whole stack: replicas, placement, network, routes and the two colours
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
