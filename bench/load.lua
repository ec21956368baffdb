-- wrk script: sends one request repeatedly, and counts responses that are not a 200 of the
-- expected length. Prints the results as one line of JSON.
-- Usage: wrk -s load.lua URL -- BODY_FILE CONTENT_TYPE RESPONSE_BYTES

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = args[2]
  file:close()
  response_bytes = tonumber(args[3])
  wrong = 0
end

function response(status, headers, body)
  if status ~= 200 or #body ~= response_bytes then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local wrong_responses = 0
  for _, thread in ipairs(threads) do
    wrong_responses = wrong_responses + thread:get("wrong")
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, '
      .. '"socket_errors": %d, "wrong_responses": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, wrong_responses
  ))
end
