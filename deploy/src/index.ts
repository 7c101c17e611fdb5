export {
    ClusterError,
    connect,
    headerOf,
    messageOf,
    readIfExists,
    statusOf,
    type Cluster,
    type ObjectReference,
} from "./apply/cluster.ts";
export { adminOfCluster, type AdminTarget } from "./admin/target.ts";
export { platformKey } from "./apply/record.ts";
export { deploy, type Deployed, type DeployOptions } from "./deploy.ts";
export { RenderError } from "./render.ts";
export { dot, embed, VerifyError, type Answer, type Entrance } from "./verify/client.ts";
export { gatewayUrl, liveWeights } from "./verify/gateway.ts";
export { sharesWithin, type Shares } from "./verify/shares.ts";
export { verify, type Verified, type VerifyOptions } from "./verify/verify.ts";
