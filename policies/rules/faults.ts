import type { Fault } from "../faults/fault.ts";
import { faults as apiVersions } from "./apiVersions/faults.ts";
import { faults as autoscalerMetric } from "./autoscalerMetric/faults.ts";
import { faults as colourParity } from "./colourParity/faults.ts";
import { faults as cpuLimit } from "./cpuLimit/faults.ts";
import { faults as disruptionBudget } from "./disruptionBudget/faults.ts";
import { faults as duplicates } from "./duplicates/faults.ts";
import { faults as ephemeralStorage } from "./ephemeralStorage/faults.ts";
import { faults as fields } from "./fields/faults.ts";
import { faults as gracePeriod } from "./gracePeriod/faults.ts";
import { faults as imageRegistry } from "./imageRegistry/faults.ts";
import { faults as imageTag } from "./imageTag/faults.ts";
import { faults as livenessProbe } from "./livenessProbe/faults.ts";
import { faults as memoryLimit } from "./memoryLimit/faults.ts";
import { faults as networkPolicy } from "./networkPolicy/faults.ts";
import { faults as permissions } from "./permissions/faults.ts";
import { faults as podSecurity } from "./podSecurity/faults.ts";
import { faults as preStop } from "./preStop/faults.ts";
import { faults as probeHandler } from "./probeHandler/faults.ts";
import { faults as probePort } from "./probePort/faults.ts";
import { faults as probeTiming } from "./probeTiming/faults.ts";
import { faults as quantities } from "./quantities/faults.ts";
import { faults as readinessProbe } from "./readinessProbe/faults.ts";
import { faults as references } from "./references/faults.ts";
import { faults as replicas } from "./replicas/faults.ts";
import { faults as resourceRequests } from "./resourceRequests/faults.ts";
import { faults as rollingUpdate } from "./rollingUpdate/faults.ts";
import { faults as routeWeights } from "./routeWeights/faults.ts";
import { faults as secretLiterals } from "./secretLiterals/faults.ts";
import { faults as secretValues } from "./secretValues/faults.ts";
import { faults as serviceAccount } from "./serviceAccount/faults.ts";
import { faults as serviceSelector } from "./serviceSelector/faults.ts";
import { faults as startupProbe } from "./startupProbe/faults.ts";
import { faults as statefulService } from "./statefulService/faults.ts";
import { faults as topologySpread } from "./topologySpread/faults.ts";

/** Single faults, each claimed by one rule: what the pack is measured with. */
export const FAULTS: readonly Fault[] = [
    // Objects as such: how they are written, what they name, what they allow
    ...fields,
    ...apiVersions,
    ...duplicates,
    ...references,
    ...statefulService,
    ...permissions,
    ...secretValues,
    // Probes, and how pods begin and end
    ...readinessProbe,
    ...livenessProbe,
    ...startupProbe,
    ...probeTiming,
    ...probePort,
    ...probeHandler,
    ...preStop,
    ...gracePeriod,
    ...rollingUpdate,
    // Requests and limits
    ...resourceRequests,
    ...memoryLimit,
    ...cpuLimit,
    ...ephemeralStorage,
    ...quantities,
    // Images, what a pod may do, and secrets
    ...imageTag,
    ...imageRegistry,
    ...podSecurity,
    ...serviceAccount,
    ...secretLiterals,
    // How many pods there are, where they are, and who may take them away
    ...replicas,
    ...disruptionBudget,
    ...topologySpread,
    ...autoscalerMetric,
    // What leads requests to pods, and the two colours
    ...networkPolicy,
    ...serviceSelector,
    ...routeWeights,
    ...colourParity,
];
