-- wrk script: sends each payload in turn, with a trace ID that differs in each request, as load
-- balancers add one. Counts responses that are not a 200 of an expected length. Prints the results
-- as one line of JSON.
-- Usage: wrk -s load.lua URL -- CONTENT_TYPE MIN_RESPONSE_BYTES MAX_RESPONSE_BYTES BODY_FILE...

local TRACE_ID = "X-Amzn-Trace-Id"
local PLACEHOLDER = "Root=1-00000000-000000000000000000000000"

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local heads, tails = {}, {}
local sent = 0

function init(args)
  min_bytes, max_bytes = tonumber(args[2]), tonumber(args[3])
  wrong = 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = args[1]
  wrk.headers[TRACE_ID] = PLACEHOLDER
  for index = 4, #args do
    local file = assert(io.open(args[index], "rb"))
    local request = wrk.format(nil, nil, nil, file:read("*a"))
    file:close()
    local first, last = request:find(PLACEHOLDER, 1, true)
    table.insert(heads, request:sub(1, first - 1))
    table.insert(tails, request:sub(last + 1))
  end
end

function request()
  sent = sent + 1
  local index = sent % #heads + 1
  local id = string.format("Root=1-%08x-%024x", os.time(), sent)
  return heads[index] .. id .. tails[index]
end

function response(status, headers, body)
  if status ~= 200 or #body < min_bytes or #body > max_bytes then
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
