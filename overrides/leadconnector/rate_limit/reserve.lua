-- Decides when each request of one key may be sent, for all processes that share a Redis.
--
-- It decides as ReservationQueue in reservations.py does, with the same names, by Redis's clock.
-- Redis runs one script at a time, so no two processes get the same place. It needs Redis 5 or
-- newer: earlier ones do not let a script write after it has read the clock.
--
-- Times are microseconds since 1970, lengths of time are microseconds.
--
-- KEYS[1] sends: a sorted set; the number of each permitted request, by the time when it counts.
-- KEYS[2] waiting: a sorted set; the number of each reservation whose time has not come, by number.
-- KEYS[3] state: a hash; the fields that are read below and, for each waiting number, its expiry.
-- KEYS[4] processes: a sorted set; the name of each process, by the time of its last operation.
-- ARGV[1] request: JSON; see ScriptRequest in redis_script.py.
-- Returns JSON; see ScriptReply in redis_script.py.

local sends_key = KEYS[1]
local waiting_key = KEYS[2]
local state_key = KEYS[3]
local processes_key = KEYS[4]
local request = cjson.decode(ARGV[1])

-- The same as in rate.py and reservations.py, which explain them. A test compares them.
local STRETCH = 1.005
local LONGEST_LAG = 0.04
local GRACE = 2e6
local DAY = 86400e6

-- How long processes that decided alone go on so after the first report. A process leaves a failed
-- Redis alone for one second (RETRY_SECONDS in circuit_breaker.py). Half a second later, every
-- process has reported what it sent meanwhile.
local REPORTING = 1.5e6

-- Redis's clock may be put back by this much without consequence: time servers adjust clocks.
local CLOCK_TOLERANCE = 1e6

local NO_NUMBER = 0

-- Returns a number as text with all of its digits. Lua and cjson print only the first 14 of them;
-- a time has 16.
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
    'remembered_since', 'local_until'
)
-- The rate in force; a process can be configured with a lower limit than the others.
local limit = math.min(tonumber(fields[1] or request.limit), request.limit)
local window = tonumber(fields[2] or request.window)
local paused_until = tonumber(fields[3] or 0)
-- When the next request may find out whether the day is still exhausted; 0 if it is not exhausted.
local next_probe_at = tonumber(fields[4] or 0)
local last_number = tonumber(fields[5] or NO_NUMBER)
-- Since when Redis has this key. A process that knows another time has seen Redis lose its memory.
local remembered_since = tonumber(fields[6] or now)
-- Until when the processes that decide locally continue to do so.
local local_until = tonumber(fields[7] or 0)

-- Removes a reservation, whether it waits or was permitted.
local function release(number)
    redis.call('ZREM', sends_key, whole(number))
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

-- Returns when the place is free that has `position` reservations before it.
local function free_at(position)
    -- Each window serves `limit` of those who wait.
    local windows = math.floor(position / limit)
    local index = position % limit
    local first_free_at = math.max(now, paused_until)
    -- The place is free a window after the request `limit` places before it, if there is one.
    local previous = redis.call('ZCARD', sends_key) - limit + index
    if previous >= 0 then
        local counted_at = redis.call('ZRANGE', sends_key, previous, previous, 'WITHSCORES')[2]
        first_free_at = math.max(first_free_at, counted_at + window * STRETCH)
    end
    return first_free_at + windows * window * STRETCH
end

-- Books the place of a number, and returns the wait.
local function book(number)
    -- Only sends within the window count.
    redis.call('ZREMRANGEBYSCORE', sends_key, '-inf', now - window * STRETCH)
    drop_expired()
    local position = redis.call('ZCOUNT', waiting_key, '-inf', '(' .. whole(number))
    local wait = free_at(position) - now
    if wait == 0 then
        redis.call('ZADD', sends_key, whole(now), whole(number))
    else
        redis.call('ZADD', waiting_key, whole(number), whole(number))
        write_state(whole(number), now + wait + GRACE)
    end
    return wait
end

-- Counts a request from its response: the API may have counted it as late as that.
local function count_later(number)
    local counted_at = redis.call('ZSCORE', sends_key, whole(number))
    if counted_at then
        local latest = counted_at + math.floor(window * LONGEST_LAG)
        redis.call('ZADD', sends_key, whole(math.min(now, latest)), whole(number))
    end
end

-- Applies what a response says about the limit.
local function apply_update(update)
    limit = update.limit
    window = update.window
    -- A pause never ends a longer one.
    paused_until = math.max(paused_until, now + update.pause)
    next_probe_at = 0
    if update.day_exhausted then
        next_probe_at = now + window
    end
    write_state('limit', limit)
    write_state('window', window)
    write_state('paused_until', paused_until)
    write_state('next_probe_at', next_probe_at)
end

-- If Redis's clock was put back, the sends lie in the future and would block the key. They are removed.
if last_number > now + CLOCK_TOLERANCE then
    redis.call('DEL', sends_key, waiting_key, state_key)
    paused_until = 0
    next_probe_at = 0
    last_number = NO_NUMBER
end
write_state('remembered_since', remembered_since)

-- Count the processes: those that asked within a window, or that wait.
redis.call('ZADD', processes_key, whole(now), request.process)
redis.call('ZREMRANGEBYSCORE', processes_key, '-inf', now - window * STRETCH - GRACE)

-- Add what the process permitted without Redis. NX: a repeated report changes nothing.
for _, send in ipairs(request.sends) do
    redis.call('ZADD', sends_key, 'NX', whole(now - send.age), whole(send.number))
    redis.call('ZREM', waiting_key, whole(send.number))
    redis.call('HDEL', state_key, whole(send.number))
end

-- The process has sent requests that Redis no longer knows, and has not reported them yet.
local memory_lost = not request.decided_locally
    and request.memory_id ~= ''
    and request.memory_id ~= whole(remembered_since)
local decides_here = not request.decided_locally and not memory_lost

-- The first report after an outage starts the time in which all processes report.
if not decides_here and local_until < now then
    local_until = now + REPORTING
    write_state('local_until', local_until)
end

local number = request.number
local wait = 0
if request.action == 'release' then
    release(number)
elseif request.action == 'update' then
    count_later(number)
    if request.update then
        apply_update(request.update)
    end
elseif request.action == 'rebook' and decides_here then
    release(number)
    wait = book(number)
elseif request.action == 'reserve' and decides_here and now >= next_probe_at then
    -- While the day is exhausted, one request in each window finds out whether it still is.
    if next_probe_at > 0 then
        write_state('next_probe_at', now + window)
    end
    -- Two reservations can have the same microsecond.
    number = math.max(now, last_number + 1)
    write_state('last_number', number)
    wait = book(number)
end

-- An idle key expires once nothing in it can count. What a response said is kept for a day, since
-- otherwise the API would have to reject requests to say it again.
local keep = math.max(wait, paused_until - now) + window * STRETCH + GRACE
if next_probe_at > 0 or limit ~= request.limit then
    keep = keep + DAY
end
for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, math.ceil(keep / 1000))
end

local last_send = redis.call('ZRANGE', sends_key, -1, -1, 'WITHSCORES')[2] or now
return cjson.encode({
    number = whole(number),
    wait = whole(math.ceil(wait)),
    limit = whole(limit),
    window = whole(window),
    day_exhausted = next_probe_at > 0,
    process_count = redis.call('ZCARD', processes_key),
    memory_id = whole(remembered_since),
    memory_lost = memory_lost,
    local_for = whole(math.max(0, local_until - now)),
    free_in = whole(math.ceil(free_at(0) - now)),
    last_send_age = whole(now - last_send),
})
