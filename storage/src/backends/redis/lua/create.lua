-- Makes the store if it is not there.
-- KEYS: store. ARGV: '1' if something must be written in any case, format, number of shards.
-- Answers the format and shards that it has.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'format', ARGV[2], 'shards', ARGV[3])
elseif ARGV[1] == '1' then
  redis.call('HSET', KEYS[1], 'format', redis.call('HGET', KEYS[1], 'format'))
end
return redis.call('HMGET', KEYS[1], 'format', 'shards')
