import { cel, said, words } from "./cel.ts";
import { PROBES } from "./probes.ts";
import type { Admission } from "./rule.ts";

export const elsewhere = words(
    (field, port, ports) =>
        said`has a ${field} of port ${port}, which is not among its ports (${ports})`,
);

const [field, port] = [cel`field`, cel`port`];
const has = cel`ports.map(p, p.?name.orValue(string(p.containerPort))).join(', ')`;
/** What the API server says of ports that a probe asks. @param numbers also of those that are numbers */
export const probedPorts = (numbers: boolean): Admission => ({
    each: {
        field: PROBES,
        handler: cel`['httpGet', 'tcpSocket', 'grpc'].filter(h, h in c[field])`,
        port: cel`[?c[field][handler].?port]`,
        ports: cel`[c.?ports.orValue([])]`,
    },
    violated: cel`type(port) == string ? !ports.exists(p, p.?name.orValue('') == port) : ${numbers} && size(ports) > 0 && !ports.exists(p, p.containerPort == port)`,
    what: elsewhere(field, port, cel`size(ports) == 0 ? 'none' : ${has}`),
    at: said`${field}.${cel`handler`}.port`,
});
