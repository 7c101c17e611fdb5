import { readFileSync } from "node:fs";
import { createServer } from "node:http";

/**
 * The minimal node:http server for a POST: it reads the body and sends a prepared buffer.
 *
 *   node server.ts PORT FILE
 */
const [, , port, file = ""] = process.argv;
const answer = readFileSync(file);
const headers = [
    ...["content-type", "application/json", "content-length", String(answer.length)],
    ...["x-cache", "HIT-L1", "x-served-by", "none", "x-served-version", "v1.0.0"],
];

createServer({ noDelay: true, keepAliveTimeout: 95_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
        response.writeHead(200, headers);
        response.end(answer);
    });
}).listen({ port: Number(port), host: "127.0.0.1", backlog: 4_096 });
