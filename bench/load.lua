-- What wrk sends, and what it makes of the replies: every reply must be a 200 of the right length.
-- Usage: wrk -s load.lua URL -- BODY_FILE CONTENT_TYPE REPLY_BYTES

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
  reply_bytes = tonumber(args[3])
  wrong = 0
end

function response(status, headers, body)
  if status ~= 200 or #body ~= reply_bytes then
    wrong = wrong + 1
  end
end

function done(summary, latency, requests)
  local wrong_replies = 0
  for _, thread in ipairs(threads) do
    wrong_replies = wrong_replies + thread:get("wrong")
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.4f, "p99_ms": %.4f, "socket_errors": %d, "wrong_replies": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, wrong_replies
  ))
end
