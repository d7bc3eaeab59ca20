-- Keeps a program, if it is not there or in place of a damaged one.
-- KEYS: program, list of programs. ARGV: '1' if something must be written in any case, hash, program with its checksum, '1' to
-- replace what is there.
-- Answers 1 if it was put, 0 if there is one.
if ARGV[4] == '0' and redis.call('EXISTS', KEYS[1]) == 1 then
  if ARGV[1] == '1' then
    redis.call('ZREM', KEYS[2], ARGV[2])
    redis.call('ZADD', KEYS[2], 0, ARGV[2])
  end
  return 0
end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
return 1
