-- Commits of one shard: each applied whole or not at all.
-- KEYS: lease, names, due, runnable, ended, one list for each of eight statuses; then isolate and events of each commit.
-- ARGV: '1' if something must be written in any case; then of each commit: head, expected sequence number, parts are dropped
-- from ('' for none), number of the part that is put ('' for none), the part, events are kept from, number of the first
-- event, count of events that follow, these.
-- Answers one letter for each: a applied, r repeated, f fenced, d damaged.
local LEASE, NAMES, DUE, RUNNABLE, ENDED, STATUS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], 6
local open = open_epoch(LEASE)
local answers, key, arg = '', 14, 2

local function judge(old, head, expected)
  if old and is_head(old) and seq_of(old) == seq_of(head) and epoch_of(old) == epoch_of(head) then
    return 'r'
  end
  if open ~= epoch_of(head) then
    return 'f'
  end
  if old then
    if not is_head(old) then
      return 'd'
    end
    return seq_of(old) == expected and name_of(old) == name_of(head) and 'a' or 'f'
  end
  if expected ~= '\0\0\0\0\0\0\0\0' then
    return 'f'
  end
  local name = name_of(head)
  local taken = redis.call('ZRANGEBYLEX', NAMES, '[' .. name .. '\0\1', '(' .. name .. '\0\2', 'LIMIT', 0, 1)
  return #taken == 0 and 'a' or 'f'
end

while key < #KEYS do
  local isolate, events = KEYS[key], KEYS[key + 1]
  local head, expected, drop_from, put = ARGV[arg], ARGV[arg + 1], ARGV[arg + 2], ARGV[arg + 3]
  local part, keep_from, first, count = ARGV[arg + 4], ARGV[arg + 5], ARGV[arg + 6], tonumber(ARGV[arg + 7])
  local old = redis.pcall('HGET', isolate, 'h')
  -- An error: something else has this key.
  local answer = type(old) == 'table' and 'd' or judge(old, head, expected)
  if answer == 'a' then
    -- First what a server without memory left refuses, so that it refuses all of it.
    redis.call('HSET', isolate, 'h', head)
    if not old then
      redis.call('ZADD', NAMES, 0, listed_of(head))
    end
    if not old or status_of(old) ~= status_of(head) then
      if old then redis.call('ZREM', KEYS[STATUS + status_of(old)], listed_of(old)) end
      redis.call('ZADD', KEYS[STATUS + status_of(head)], 0, listed_of(head))
    end
    move(DUE, old and due_of(old), due_of(head))
    move(RUNNABLE, old and runnable_of(old), runnable_of(head))
    move(ENDED, old and ended_of(old), ended_of(head))
    if drop_from ~= '' then
      local from = tonumber(drop_from)
      for _, field in ipairs(redis.call('HKEYS', isolate)) do
        local number = tonumber(string.match(field, '^p(%d+)$'))
        if number and number >= from then redis.call('HDEL', isolate, field) end
      end
    end
    if put ~= '' then redis.call('HSET', isolate, 'p' .. put, part) end
    if count > 0 then
      -- Numbers that are written again; there are none but after a repair by hand.
      local last = string.sub(ARGV[arg + 7 + count], 1, 8)
      redis.call('ZREMRANGEBYLEX', events, '[' .. first, '[' .. last .. string.rep('\255', 8))
      for at = arg + 8, arg + 7 + count do
        redis.call('ZADD', events, 0, ARGV[at])
      end
    end
    if keep_from ~= '\0\0\0\0\0\0\0\0' then
      redis.call('ZREMRANGEBYLEX', events, '-', '(' .. keep_from)
    end
  end
  answers = answers .. answer
  key = key + 2
  arg = arg + 8 + count
end
if ARGV[1] == '1' then redis.call('HINCRBY', LEASE, 'pulse', 1) end
return answers
