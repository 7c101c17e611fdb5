import { expect, test } from "@jest/globals";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { endAfterTest } from "../../tests/support/setUp.ts";
import { waitForQuiet } from "../src/quiet.ts";

const QUIET_MILLISECONDS = 200;
const FOREVER = 600_000;

const endLater = endAfterTest();

test("a pause of the process is not quiet: what arrives in it is read first", async () => {
    let received = 0;
    const server = createServer((socket) => socket.on("data", () => (received += 1)));
    endLater(() => void server.close());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    endLater(() => client.destroy());
    client.write("first");
    const [accepted] = (await once(server, "connection")) as [Socket];
    await once(accepted, "data");
    const quiet = waitForQuiet(() => received, QUIET_MILLISECONDS, FOREVER);
    client.write("second");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * QUIET_MILLISECONDS);
    await quiet;
    expect(received).toBe(2);
});

test("requests without end delay it no longer than its maximum", async () => {
    let requests = 0;
    await waitForQuiet(() => (requests += 1), FOREVER, 50);
    expect(requests).toBeGreaterThan(0);
});
