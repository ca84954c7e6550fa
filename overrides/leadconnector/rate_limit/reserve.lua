-- Decides when each request of one rate-limit key may be sent, for all processes with one Redis.
--
-- It decides as ReservationQueue in reservations.py does, with the same terms, by Redis's clock.
-- Redis runs one script at a time, so no two processes get the same send time. It needs Redis 5 or
-- newer: earlier ones do not let a script write after it has read the clock. `main` is at the end.
--
-- Times are microseconds since 1970. Lengths of time are microseconds, also in the request: window,
-- update.pause, update.day_ends_in, and age of a reported request.
--
-- KEYS[1] sends: a sorted set; the number of each permitted request, by the time when it counts.
-- KEYS[2] waiting: a sorted set; the number of each reservation whose time has not come, by number.
-- KEYS[3] state: a hash; the fields that are read below and, for each waiting number, its expiry.
-- KEYS[4] processes: a sorted set; the name of each process, by the time of its last operation.
-- KEYS[5] observed: a hash; for the groups of headers `window` and `day`: the number of the request,
--   when the response came, and the headers as one text.
-- ARGV[1] request: JSON; see ScriptRequest and ReadingRequest in redis_script.py.
-- Returns JSON; see ScriptReply and SharedStatus in redis_script.py.

local permitted_key = KEYS[1]
local waiting_key = KEYS[2]
local state_key = KEYS[3]
local processes_key = KEYS[4]
local observed_key = KEYS[5]
local request = cjson.decode(ARGV[1])

-- The same as in rate.py and reservations.py, which explain them. A test compares them.
local STRETCH = 1.005
local MAXIMUM_LAG_WINDOWS = 0.04
local GRACE = 2e6
local DAY = 86400e6

-- How long processes keep deciding alone after the first report: long enough for each active
-- process to try Redis again and report. A process leaves a failed Redis alone for one second
-- (RETRY_SECONDS in circuit_breaker.py). An idle process does not report in this time.
local REPORTING_PERIOD = 1.5e6

-- How long headers prevent that those of an earlier request replace them. The same as
-- REORDERING_SECONDS in observed_limits.py, which explains it.
local REORDERING_PERIOD = 60e6

-- Redis's clock may be put back by this much without consequence: time servers adjust clocks.
local CLOCK_TOLERANCE = 1e6

-- Stands where there is no reservation. In a reply: the day is exhausted, so nothing was booked.
-- (If memory was lost, number and wait of a booking have no meaning.)
local NO_NUMBER = 0

-- Returns a number as text with all of its digits; a time has 16. It is needed for `..` and for
-- cjson, which write only 14. redis.call writes all of them. `whole` is used for what it stores,
-- too, so that a number always becomes the same text.
local function whole(value)
    return string.format('%.0f', value)
end

local function write_state(field, value)
    redis.call('HSET', state_key, field, whole(value))
end

local clock = redis.call('TIME')
local now = clock[1] * 1e6 + clock[2]

-- The state of the key. A missing field is false, and gets its default.
local fields = redis.call(
    'HMGET', state_key,
    'limit', 'window', 'paused_until', 'next_probe_at', 'last_number',
    'remembered_since', 'local_until', 'probe_number', 'day_ends_at'
)
-- The rate in force; a process can be configured with a lower limit than the others.
local limit = math.min(tonumber(fields[1] or request.limit), request.limit)
local window = tonumber(fields[2] or request.window)
local paused_until = tonumber(fields[3] or 0)
-- When the next request may find out whether the day is still exhausted; 0 if it is not exhausted.
local next_probe_at = tonumber(fields[4] or 0)
local last_number = tonumber(fields[5] or NO_NUMBER)
-- When this lifetime of the key's data began. It identifies the lifetime: it is the memory_id.
local remembered_since = tonumber(fields[6] or now)
-- Until when the processes that decide alone continue to do so.
local local_until = tonumber(fields[7] or 0)
-- The number of the last request that may find out whether the day is still exhausted.
local probe_number = tonumber(fields[8] or NO_NUMBER)
-- When the exhausted day ends; in the past or 0 if the API did not state it.
local day_ends_at = tonumber(fields[9] or 0)

-- Whether Redis no longer knows requests of this process that still count. The process states the
-- memory_id that it knows, or none if it sent nothing within the window: then nothing is missing. A
-- process that decided locally reports its requests anyway.
local memory_lost = not request.decided_locally
    and request.memory_id ~= ''
    and request.memory_id ~= whole(remembered_since)

-- Whether the process decided alone although its reporting period is over: its report was under way
-- when the period ended. Redis may have permitted the same requests to other processes meanwhile, so
-- the process asks Redis again before it sends anything. If Redis lost its memory in the period,
-- there is another outage to report.
local period_over = request.has_reported
    and request.memory_id == whole(remembered_since)
    and local_until < now

-- Whether Redis books for this process. That does not depend on local_until: a process that asks
-- Redis during the reporting period had nothing to report, so Redis knows all that it sent. Redis
-- does not know yet what the other processes sent, and send until then: a known limitation.
local decides_here = not request.decided_locally and not memory_lost

-- Removes a reservation, whether it waits or was permitted.
local function release(number)
    redis.call('ZREM', permitted_key, whole(number))
    redis.call('ZREM', waiting_key, whole(number))
    redis.call('HDEL', state_key, whole(number))
end

-- Removes those who are gone from the head of the queue. Elsewhere they block nobody yet.
local function drop_expired()
    while true do
        local first = redis.call('ZRANGE', waiting_key, 0, 0)[1]
        if not first then
            return
        end
        local expires_at = tonumber(redis.call('HGET', state_key, first) or 0)
        if expires_at >= now then
            return
        end
        redis.call('ZREM', waiting_key, first)
        redis.call('HDEL', state_key, first)
    end
end

-- Returns when the reservation with `position` reservations before it may be sent.
local function send_time(position)
    -- Each window serves `limit` of those who wait.
    local windows = math.floor(position / limit)
    local index = position % limit
    local in_first_window = math.max(now, paused_until)
    -- In the first window, a request follows the one `limit` places before it by a window, if there
    -- is one. Rank 0 is the oldest permitted request.
    local previous_rank = redis.call('ZCARD', permitted_key) - limit + index
    if previous_rank >= 0 then
        local previous = redis.call(
            'ZRANGE', permitted_key, previous_rank, previous_rank, 'WITHSCORES'
        )
        local counted_at = previous[2]
        in_first_window = math.max(in_first_window, counted_at + window * STRETCH)
    end
    return in_first_window + windows * window * STRETCH
end

-- Books a send time for a number, and returns the wait; 0 if the request is permitted now.
local function book(number)
    -- Older requests delay nothing. Without this, they would fill the memory.
    redis.call('ZREMRANGEBYSCORE', permitted_key, '-inf', now - window * STRETCH)
    drop_expired()
    local position = redis.call('ZCOUNT', waiting_key, '-inf', '(' .. whole(number))
    local wait = send_time(position) - now
    if wait == 0 then
        redis.call('ZADD', permitted_key, whole(now), whole(number))
    else
        redis.call('ZADD', waiting_key, whole(number), whole(number))
        write_state(whole(number), now + wait + GRACE)
    end
    return wait
end

-- Returns whether the day permits a request. An exhausted one permits one in each window, which
-- finds out whether it still is.
local function day_permits(number)
    if next_probe_at == 0 or number == probe_number then
        return true
    end
    if now < next_probe_at then
        return false
    end
    write_state('next_probe_at', now + window)
    write_state('probe_number', number)
    return true
end

-- Books a send time for a new number, and returns the number and the wait. While the day is
-- exhausted, nothing is booked.
local function reserve()
    -- Two reservations can have the same microsecond.
    local number = math.max(now, last_number + 1)
    if not day_permits(number) then
        return NO_NUMBER, 0
    end
    write_state('last_number', number)
    return number, book(number)
end

-- Books a send time for an existing number, and returns the number and the wait. If the day is
-- exhausted, the reservation is removed instead.
local function rebook(number)
    release(number)
    if not day_permits(number) then
        return NO_NUMBER, 0
    end
    return number, book(number)
end

-- Counts a request from its response: the API may have counted it as late as that.
local function postpone_counting(number)
    local counted_at = redis.call('ZSCORE', permitted_key, whole(number))
    if counted_at then
        local latest = counted_at + math.floor(window * MAXIMUM_LAG_WINDOWS)
        redis.call('ZADD', permitted_key, whole(math.min(now, latest)), whole(number))
    end
end

-- Applies what a response says about the limit.
local function apply_update(update)
    limit = update.limit
    window = update.window
    -- A pause never ends a longer one.
    paused_until = math.max(paused_until, now + update.pause)
    next_probe_at = 0
    probe_number = NO_NUMBER
    -- A response that does not state the end of the day leaves the end that an earlier one stated.
    if update.day_ends_in > 0 then
        day_ends_at = now + update.day_ends_in
    end
    if not update.day_exhausted then
        day_ends_at = 0
    elseif day_ends_at > now then
        next_probe_at = day_ends_at
    else
        next_probe_at = now + window
    end
    write_state('limit', limit)
    write_state('window', window)
    write_state('paused_until', paused_until)
    write_state('next_probe_at', next_probe_at)
    write_state('probe_number', probe_number)
    write_state('day_ends_at', day_ends_at)
end

-- If Redis's clock was put back, the permitted requests lie in the future and would block the key.
-- They are removed, and so is the state: waiting reservations, the pause, the exhausted day, and,
-- after this run, the advertised rate. Kept are the processes, and the memory_id, which `main`
-- writes again. With another one, each process would report what is removed here on purpose.
local function reset_after_clock_step()
    -- The last number is the time of the last `reserve`. Waiting requests are permitted later.
    local last_permitted = redis.call('ZRANGE', permitted_key, -1, -1, 'WITHSCORES')
    local last_time = math.max(last_number, tonumber(last_permitted[2] or 0))
    if last_time > now + CLOCK_TOLERANCE then
        redis.call('DEL', permitted_key, waiting_key, state_key, observed_key)
        paused_until = 0
        next_probe_at = 0
        last_number = NO_NUMBER
        probe_number = NO_NUMBER
        day_ends_at = 0
    end
end

-- Counts the processes: those that asked within a window, or that wait, and so usually ask each
-- second.
-- After a clock step, a process that is gone counts until the clock has caught up.
local function record_process()
    redis.call('ZADD', processes_key, whole(now), request.process_name)
    redis.call('ZREMRANGEBYSCORE', processes_key, '-inf', now - window * STRETCH - GRACE)
end

-- Adds what the process permitted without Redis. NX: a repeated report changes nothing.
local function record_reports()
    for _, reported in ipairs(request.reported_requests) do
        local counted_at = whole(now - reported.age)
        redis.call('ZADD', permitted_key, 'NX', counted_at, whole(reported.number))
        redis.call('ZREM', waiting_key, whole(reported.number))
        redis.call('HDEL', state_key, whole(reported.number))
    end
end

-- Starts the time in which all active processes report: with the first report after an outage, or
-- with the first process that knew a memory which was lost.
local function start_reporting_period()
    if not decides_here and not period_over and local_until < now then
        local_until = now + REPORTING_PERIOD
        write_state('local_until', local_until)
    end
end

-- Carries out the operation, and returns the number and the wait of the reply. Releases and updates
-- are carried out for processes that decide alone, too; bookings are theirs, and come as reports.
local function perform()
    local number = request.number
    local wait = 0
    if request.action == 'release' then
        release(number)
    elseif request.action == 'update' then
        -- First, since the API counted this request in the window that was in force.
        postpone_counting(number)
        -- The field is left out if there is nothing to apply. A null would be true.
        if request.update then
            apply_update(request.update)
        end
    elseif request.action == 'rebook' and decides_here then
        number, wait = rebook(number)
    elseif request.action == 'reserve' and decides_here then
        number, wait = reserve()
    end
    return number, wait
end

-- An idle key expires once nothing in it can count. Callers that wait longer than this one ask
-- later, and extend the lifetime each time. A lower limit, a longer window and an exhausted day are
-- kept for a day, since otherwise the API would have to reject requests to say so again.
local function set_expiry(wait)
    local lifetime = math.max(wait, paused_until - now) + window * STRETCH + GRACE
    if next_probe_at > 0 or limit ~= request.limit or window ~= request.window then
        lifetime = math.max(lifetime + DAY, next_probe_at - now + DAY)
    end
    for _, key in ipairs({permitted_key, waiting_key, state_key, processes_key}) do
        redis.call('PEXPIRE', key, math.ceil(lifetime / 1000))
    end
end

-- Returns whether headers are newer than what is stored of their group.
local function is_newer(name, number)
    local stored = redis.call('HMGET', observed_key, name .. '_number', name .. '_at')
    if not stored[1] or number >= tonumber(stored[1]) then
        return true
    end
    -- In the future only after Redis's clock was put back.
    local age = now - tonumber(stored[2])
    return age > REORDERING_PERIOD or age < -CLOCK_TOLERANCE
end

-- Stores what responses said about the limits of the API. Their text is only passed on.
local function record_observations()
    for name, observation in pairs(request.observations or {}) do
        if is_newer(name, observation.number) then
            redis.call(
                'HSET', observed_key,
                name .. '_number', whole(observation.number),
                name .. '_at', whole(now - observation.age),
                name .. '_text', observation.text
            )
            redis.call('PEXPIRE', observed_key, DAY / 1000)
        end
    end
end

-- Returns what is known about the key. An unknown key stays unknown.
local function encode_status()
    local since = whole(now - window * STRETCH)
    local observed = {}
    for _, name in ipairs({'window', 'day'}) do
        local stored = redis.call(
            'HMGET', observed_key, name .. '_number', name .. '_at', name .. '_text'
        )
        if stored[1] then
            observed[name] = {
                number = stored[1],
                age = whole(math.max(0, now - tonumber(stored[2]))),
                text = stored[3],
            }
        end
    end
    return cjson.encode({
        is_known = redis.call('EXISTS', state_key) == 1,
        reserved = whole(redis.call('ZCOUNT', permitted_key, '(' .. since, '+inf')),
        waiting = whole(redis.call('ZCARD', waiting_key)),
        observed = observed,
    })
end

local function encode_reply(number, wait)
    local last_permitted = redis.call('ZRANGE', permitted_key, -1, -1, 'WITHSCORES')
    local last_permitted_at = last_permitted[2] or now
    return cjson.encode({
        number = whole(number),
        wait = whole(math.ceil(wait)),
        limit = whole(limit),
        window = whole(window),
        day_exhausted = next_probe_at > 0,
        -- 0 if the API did not state the end of the day.
        day_ends_in = whole(math.max(0, day_ends_at - now)),
        process_count = redis.call('ZCARD', processes_key),
        memory_id = whole(remembered_since),
        memory_lost = memory_lost,
        -- How much of the reporting period remains; 0 if it is over.
        local_for = whole(math.max(0, local_until - now)),
        period_over = period_over,
        -- If Redis fails, a process infers from these two when others can have sent requests.
        free_in = whole(math.ceil(send_time(0) - now)),
        last_permitted_age = whole(now - last_permitted_at),
    })
end

local function main()
    reset_after_clock_step()
    record_observations()
    if request.action == 'read' then
        return encode_status()
    end
    write_state('remembered_since', remembered_since)
    record_process()
    record_reports()
    start_reporting_period()
    local number, wait = perform()
    set_expiry(wait)
    return encode_reply(number, wait)
end

return main()
