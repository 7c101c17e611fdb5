export { ClusterError, connect, type Cluster } from "./apply/cluster.ts";
export { deploy, type Deployed, type DeployOptions } from "./deploy.ts";
export { RenderError } from "./render.ts";
export { VerifyError } from "./verify/client.ts";
export { gatewayUrl, liveWeights } from "./verify/gateway.ts";
export { verify, type Verified, type VerifyOptions } from "./verify/verify.ts";
