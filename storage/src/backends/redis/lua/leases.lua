-- Changes sessions and leases, if nobody has since they were read.
-- KEYS: leases. ARGV: '1' if something must be written in any case, the version that was read ('' for none), count of fields to
-- set, these with their values, fields to drop.
-- Answers 1 if it was done, 0 if they are at another version.
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version ~= ARGV[2] then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'version', 1)
local last = 3 + 2 * tonumber(ARGV[3])
for at = 4, last, 2 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
end
for at = last + 1, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[at])
end
return 1
