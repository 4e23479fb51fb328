-- Marks ids as stored. The append has happened, so a mark is written whoever
-- holds the lease by now; a mark that is there stays, because it is of the
-- first acceptance.
-- KEYS[i] is the bucket of id i. ARGV: fields (12 bytes per id), owner (16
-- bytes), ttl in ms (4 bytes for all ids, or 4 per id), least life of a bucket
-- beyond a lease in ms (as in the claim), nonce, where sweeping starts, and when the
-- leases lapse if the owner was given one for each of these ids (else 0).
-- The answer has one digit per id (1 marked, 2 was marked, 3 marked although the
-- lease was lost) and a sum over the question and itself.
--
-- Now is rounded down, so an expiry is one more: never early.
local call, sub, pack, unpack = redis.call, string.sub, struct.pack, struct.unpack
local t = call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000) - 1704067200000
local fields, owner, ttls, least, start = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[6])
local ttl = unpack('>I4', ttls)
local mark = pack('>I5', now + ttl + 1)
-- Until its leases lapse, what stands at the owner's ids is the owner's: one
-- command is enough. If the id is not there, the server has lost it.
local sure = #ttls == 4 and ttl <= least and tonumber(ARGV[7]) > now
local out = {}
for i = 1, #KEYS do
  local key, field = KEYS[i], sub(fields, i * 12 - 11, i * 12)
  if #ttls > 4 then
    ttl = unpack('>I4', ttls, i * 4 - 3)
    mark = pack('>I5', now + ttl + 1)
  end
  local state = '1'
  if sure then
    if call('HSET', key, field, mark) == 1 then state = '3' end
  else
    local held = call('HGET', key, field)
    local live = held and unpack('>I5', held, #held - 4) > now
    if live and #held == 5 then
      state = '2'
    else
      if not live or sub(held, 1, 16) ~= owner then state = '3' end
      call('HSET', key, field, mark)
    end
  end
  -- A live lease of the owner promises that the bucket lives least longer.
  if (state == '3' or state == '1' and ttl > least) and call('PTTL', key) < ttl then
    call('PEXPIRE', key, math.floor(ttl * 9 / 8))
  end
  out[i] = state
  -- One bucket in 16 is looked at for expired ids; of the large ones, one in
  -- 16 × size / 32, so that the cost per id stays the same.
  if (i + start) % 16 == 0 then
    local n = call('HLEN', key)
    if n <= 32 or (start * 31 + i) % n < 32 then
      local all = call('HGETALL', key)
      for j = 2, #all, 2 do
        if unpack('>I5', all[j], #all[j] - 4) <= now then call('HDEL', key, all[j - 1]) end
      end
    end
  end
end
local states = table.concat(out)
return states .. redis.sha1hex(ARGV[5] .. fields .. states)
