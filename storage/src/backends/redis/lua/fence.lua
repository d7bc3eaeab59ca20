-- Puts the fence of a shard where the leases say it is, unless it is further on already.
-- KEYS: lease. ARGV: '1' if something must be written in any case, epoch, session that holds it ('' for none).
-- Answers what happened and what must be known then: {'set'}, {'moved', mark of this server} when the epoch is not of this
-- server, {'behind', counter of the fence} when the fence is at another state that is as new or newer.
local function counter(epoch)
  local a, b, c, d = string.byte(epoch, 1, 4)
  return ((a * 256 + b) * 256 + c) * 256 + d
end
local epoch, holder = ARGV[2], ARGV[3]
local mark = mark_now()
if holder ~= '' and string.sub(epoch, 5, 8) ~= mark then
  return {'moved', mark}
end
local fence = redis.call('HMGET', KEYS[1], 'epoch', 'holder')
if fence[1] and counter(fence[1]) >= counter(epoch) then
  if fence[1] ~= epoch or fence[2] ~= holder then
    return {'behind', counter(fence[1])}
  end
else
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'holder', holder)
end
if ARGV[1] == '1' then redis.call('HINCRBY', KEYS[1], 'pulse', 1) end
return {'set'}
