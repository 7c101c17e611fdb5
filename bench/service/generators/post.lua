-- The script of wrk: POSTs the bodies of a file (one per line) in rotation.
--   wrk … -s post.lua URL -- BODIES ["header: value" …]
-- Prints one line of JSON at the end; latencies are in microseconds.

local requests = {}
local at = 0

function init(args)
    wrk.method = "POST"
    wrk.headers["content-type"] = "application/json"
    for index = 2, #args do
        local name, value = args[index]:match("^([^:]+): (.*)$")
        wrk.headers[name] = value
    end
    for body in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format(nil, nil, nil, body)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"microseconds":%d,"bytes":%d,' ..
        '"p50":%d,"p90":%d,"p95":%d,"p99":%d,"p999":%d,"max":%d,' ..
        '"rejected":%d,"unanswered":%d}\n',
        summary.requests, summary.duration, summary.bytes,
        latency:percentile(50), latency:percentile(90), latency:percentile(95),
        latency:percentile(99), latency:percentile(99.9), latency.max,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
