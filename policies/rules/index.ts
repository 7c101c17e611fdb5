import type { Rule } from "../core/rule.ts";
import { cpuLimit } from "./cpuLimit.ts";
import { ephemeralStorage } from "./ephemeralStorage.ts";
import { gracePeriod } from "./gracePeriod.ts";
import { imageRegistry } from "./imageRegistry.ts";
import { imageTag } from "./imageTag.ts";
import { livenessProbe } from "./livenessProbe.ts";
import { memoryLimit } from "./memoryLimit.ts";
import { preStop } from "./preStop.ts";
import { probeHandler } from "./probeHandler.ts";
import { probePort } from "./probePort.ts";
import { probeTiming } from "./probeTiming.ts";
import { quantities } from "./quantities.ts";
import { readinessProbe } from "./readinessProbe.ts";
import { resourceRequests } from "./resourceRequests.ts";
import { rollingUpdate } from "./rollingUpdate.ts";
import { startupProbe } from "./startupProbe.ts";

import { podSecurity } from "./podSecurity.ts";
import { serviceAccount } from "./serviceAccount.ts";
import { replicas } from "./replicas.ts";
import { disruptionBudget } from "./disruptionBudget.ts";
import { topologySpread } from "./topologySpread.ts";
import { networkPolicy } from "./networkPolicy.ts";
import { secretLiterals } from "./secretLiterals.ts";
import { serviceSelector } from "./serviceSelector.ts";
import { routeWeights } from "./routeWeights.ts";
/** All rules, in the order in which they are told. */
export const RULES: readonly Rule[] = [
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
    podSecurity,
    serviceAccount,
    secretLiterals,
    replicas,
    disruptionBudget,
    topologySpread,
    networkPolicy,
    serviceSelector,
    routeWeights,
];
