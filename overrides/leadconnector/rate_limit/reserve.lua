-- What _Window in _quota.py decides for one process, for all that share a Redis (5 or newer), by Redis's clock. Times
-- are microseconds since 1970.
-- KEYS: the last slots that were free (a sorted set: numbers by time), those that wait (a sorted set: numbers by
-- number), what is known of the key (a hash; for each number that waits: when it is given up), and the processes that
-- share it (a sorted set: names by when they asked).
-- ARGV: operation, configured limit, configured seconds, the process's name, since when what it sent was remembered (0:
-- there is nothing; 1: it acts alone and only says what it did), how many values the operation has, and these; then what
-- the process sent alone, because Redis was away or lost its memory: how many seconds ago, and the number.
-- Answers with {number, limit in force, whether the day's requests are used up, how many processes share the key, since
-- when the key is remembered; then lengths of time: to wait, of the window in force, for which those who are alone are to
-- stay so, until anybody may send, since anybody did}.
local sent, waiting, known, sharing = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local STRETCH, LAG, GRACE, DAY = 1.005, 0.04, 2e6, 86400e6
-- Half a second longer than a process leaves Redis alone: all are to have told what they sent before one counts on it.
local RESTORING = 1.5e6

local clock = redis.call('TIME')
local now = clock[1] * 1e6 + clock[2]
local read = redis.call('HMGET', known, 'limit', 'window', 'paused', 'probe', 'last', 'born', 'restored')
local limit, window = math.min(read[1] or ARGV[2], ARGV[2]), tonumber(read[2] or math.floor(ARGV[3] * 1e6 + 0.5))
local paused, probe, last = tonumber(read[3] or 0), tonumber(read[4] or 0), tonumber(read[5] or 0)
local number, wait, born = tonumber(ARGV[7]) or 0, 0, tonumber(read[6] or now)

local function whole(value) -- as text, without an exponent
    return string.format('%.0f', value)
end

local restored, alone = tonumber(read[7] or 0), ARGV[5] ~= '0' and ARGV[5] ~= whole(born)

local function write(what, value)
    redis.call('HSET', known, what, whole(value))
end

local function release()
    redis.call('ZREM', sent, whole(number))
    redis.call('ZREM', waiting, whole(number))
    redis.call('HDEL', known, whole(number))
end

local function free(index) -- when the slot is free that has so many before it
    local before = redis.call('ZCARD', sent) - limit + index % limit
    local found = math.max(now, paused)
    if before >= 0 then
        found = math.max(found, redis.call('ZRANGE', sent, before, before, 'WITHSCORES')[2] + window * STRETCH)
    end
    return found + math.floor(index / limit) * window * STRETCH
end

local function place()
    redis.call('ZREMRANGEBYSCORE', sent, '-inf', now - window * STRETCH)
    local first = redis.call('ZRANGE', waiting, 0, 0)[1]
    while first and tonumber(redis.call('HGET', known, first) or 0) < now do
        redis.call('ZREM', waiting, first)
        redis.call('HDEL', known, first)
        first = redis.call('ZRANGE', waiting, 0, 0)[1]
    end
    wait = free(redis.call('ZCOUNT', waiting, '-inf', '(' .. whole(number))) - now
    if wait == 0 then
        redis.call('ZADD', sent, whole(now), whole(number))
    else
        redis.call('ZADD', waiting, whole(number), whole(number))
        write(whole(number), now + wait + GRACE)
    end
end

if last > now + 1e6 then -- Redis's clock was put back: what was sent lies ahead
    redis.call('DEL', sent, waiting, known)
    paused, probe, last = 0, 0, 0
end

write('born', born)
redis.call('ZADD', sharing, now, ARGV[4])
redis.call('ZREMRANGEBYSCORE', sharing, '-inf', now - window * STRETCH - GRACE)

for place = 7 + ARGV[6], #ARGV, 2 do
    redis.call('ZADD', sent, 'NX', whole(now - ARGV[place] * 1e6), whole(ARGV[place + 1]))
    redis.call('ZREM', waiting, whole(ARGV[place + 1]))
    redis.call('HDEL', known, whole(ARGV[place + 1]))
end
if alone and restored < now then
    restored = now + RESTORING
    write('restored', restored)
end

if ARGV[1] == 'release' then
    release()
elseif ARGV[1] == 'correct' then
    local at = redis.call('ZSCORE', sent, whole(number))
    if at then
        redis.call('ZADD', sent, whole(math.min(now, at + math.floor(window * LAG))), whole(number))
    end
    if ARGV[6] + 0 > 1 then
        limit, window = tonumber(ARGV[8]), math.floor(ARGV[9] * 1e6 + 0.5)
        paused, probe = math.max(paused, now + ARGV[10] * 1e6), tonumber(ARGV[11]) > 0 and now + window or 0
        write('limit', limit)
        write('window', window)
        write('paused', paused)
        write('probe', probe)
    end
elseif not alone and number > 0 then
    release()
    place()
elseif not alone and now >= probe then
    if probe > 0 then
        write('probe', now + window)
    end
    number = math.max(now, last + 1)
    write('last', number)
    place()
end

local told = probe > 0 or limit ~= tonumber(ARGV[2]) -- what an answer said is remembered though nobody asks
local ends = math.max(wait, paused - now) + window * STRETCH + GRACE + (told and DAY or 0)
for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, math.ceil(ends / 1000))
end
local latest = redis.call('ZRANGE', sent, -1, -1, 'WITHSCORES')[2] or now
local times = {math.ceil(wait), window, math.max(0, restored - now), free(0) - now, now - latest}
return {number, limit, probe > 0 and 1 or 0, redis.call('ZCARD', sharing), born, unpack(times)}
