-- Deletes of one shard.
-- KEYS: as in commit.lua. ARGV: '1' if something must be written in any case; then of each delete: epoch, expected
-- sequence number. Answers one letter for each: a applied, n not there, f fenced.
local LEASE, NAMES, DUE, RUNNABLE, ENDED, STATUS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], 6
local open = open_epoch(LEASE)
local answers, key, arg = '', 14, 2
while key < #KEYS do
  local isolate, events = KEYS[key], KEYS[key + 1]
  local epoch, expected = ARGV[arg], ARGV[arg + 1]
  local old = redis.call('HGET', isolate, 'h')
  local answer = 'f'
  if not old then
    answer = 'n'
  elseif open == epoch and is_head(old) and seq_of(old) == expected then
    answer = 'a'
    redis.call('ZREM', NAMES, listed_of(old))
    redis.call('ZREM', KEYS[STATUS + status_of(old)], listed_of(old))
    move(DUE, due_of(old), nil)
    move(RUNNABLE, runnable_of(old), nil)
    move(ENDED, ended_of(old), nil)
    redis.call('UNLINK', isolate, events)
  end
  answers = answers .. answer
  key = key + 2
  arg = arg + 2
end
if ARGV[1] == '1' then redis.call('HINCRBY', LEASE, 'pulse', 1) end
return answers
