-- Put before every script that looks at a shard's fence or at a head. The layout of a head is in ../record.rs.
--
-- The first ARGV of every script is '1' where a WAITAOF follows it: then something is written in any case, so that the
-- WAITAOF waits for all that was written before, also by a call whose answer was lost.

-- The first four bytes of this server's replication id. It changes when another server takes its place, and with a restart.
local function mark_now()
  local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
  local mark = ''
  for at = 1, 7, 2 do
    mark = mark .. string.char(tonumber(string.sub(id, at, at + 1), 16))
  end
  return mark
end

-- Which epoch may write the shard of this lease now; nil for none.
local function open_epoch(lease)
  local fence = redis.call('HMGET', lease, 'epoch', 'holder')
  if fence[1] and fence[2] ~= '' and string.sub(fence[1], 5, 8) == mark_now() then
    return fence[1]
  end
  return nil
end

local HEAD_MIN = 119
local function is_head(head)
  if #head < HEAD_MIN or string.byte(head, 1) ~= 1 or string.byte(head, 22) > 7 then
    return false
  end
  local high, low = string.byte(head, 118, 119)
  return #head >= HEAD_MIN + high * 256 + low
end
local function seq_of(head) return string.sub(head, 6, 13) end
local function epoch_of(head) return string.sub(head, 14, 21) end
local function status_of(head) return string.byte(head, 22) end
local function id_of(head) return string.sub(head, 102, 117) end
local function name_of(head)
  local high, low = string.byte(head, 118, 119)
  return string.sub(head, 120, 119 + high * 256 + low)
end
-- What the indices hold of a head; nil where it is in none.
local function runnable_of(head)
  return string.byte(head, 23) == 1 and id_of(head) or nil
end
local function due_of(head)
  return string.byte(head, 24) == 1 and string.sub(head, 25, 32) .. id_of(head) or nil
end
local function ended_of(head)
  return string.byte(head, 33) == 1 and string.sub(head, 34, 41) .. id_of(head) .. seq_of(head) or nil
end
local function listed_of(head)
  return name_of(head) .. '\0\1' .. id_of(head)
end

-- Moves a member of an index.
local function move(index, old, new)
  if old ~= new then
    if old then redis.call('ZREM', index, old) end
    if new then redis.call('ZADD', index, 0, new) end
  end
end
