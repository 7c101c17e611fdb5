export { connectPort, readyPods, type Forwarded } from "./admin/forward.ts";
export { adminOfCluster, type AdminTarget } from "./admin/target.ts";
export {
    ClusterError,
    connect,
    parseJson,
    readIfExists,
    statusOf,
    type Cluster,
    type ObjectReference,
} from "./apply/cluster.ts";
export { ObjectApi } from "./apply/objects.ts";
export { appliedStacks, givenConfig, isApplied } from "./apply/record.ts";
export { brokenLink } from "./brokenLink.ts";
export { chooseKubeconfig, KUBECONFIG_WORDS } from "./localCluster.ts";
export { stackOfCluster } from "./binding.ts";
export { deploy, type Deployed, type DeployOptions } from "./deploy.ts";
export { configProblem } from "./pulumi/config.ts";
export { missingForPulumi } from "./pulumi/installed.ts";
export { releaseDeadLocks } from "./pulumi/locks.ts";
export {
    openPlace,
    PROJECT,
    stateFolderOf,
    stateFolders,
    trackedFile,
    type PlaceOptions,
    type PulumiPlace,
} from "./pulumi/place.ts";
export { progress } from "./pulumi/progress.ts";
export { stackApiKey } from "./pulumi/secret.ts";
export { readConfig, setConfig, setStackConfig } from "./pulumi/stackFile.ts";
export { objectsOf, type StateObject } from "./pulumi/state.ts";
export { stopOnce } from "./pulumi/stopOnce.ts";
export { routeWeights, withWeights, type Route } from "./release/route.ts";
export { isRoute } from "./release/shared.ts";
export { RenderError } from "./render.ts";
export { readStack, requireStack, stackNames } from "./stacks.ts";
export { configuredWeights } from "./verify/configured.ts";
export { dot, embed, VerifyError, type Answer, type Entrance } from "./verify/client.ts";
export { senderTo, type Send } from "./verify/connection.ts";
export { findGateway, gatewayUrl, liveWeights, type GatewayEndpoint } from "./verify/gateway.ts";
export { sampled, sharesWithin } from "./verify/shares.ts";
export { verify, type Verified, type VerifyOptions } from "./verify/verify.ts";
