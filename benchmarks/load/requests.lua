-- Sends the lines of the file that REQUESTS names in turn: a path, then headers (name, value), separated by tabs.
local requests, turn = {}, 0

function init()
  for line in io.lines(os.getenv("REQUESTS")) do
    local fields, headers = {}, {}
    for field in line:gmatch("[^\t]+") do fields[#fields + 1] = field end
    for place = 2, #fields, 2 do headers[fields[place]] = fields[place + 1] end
    requests[#requests + 1] = wrk.format("GET", fields[1], headers)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("%d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
