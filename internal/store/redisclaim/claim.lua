-- Leases ids that nobody holds.
-- KEYS[i] is the bucket of id i. ARGV: fields (12 bytes per id), owner (16
-- bytes), lease in ms, least life of a bucket in ms beyond the lease, nonce.
-- A value is a mark (5 bytes: when it expires) or a lease (owner, then when).
-- The answer has one digit per id (1 leased now, 2 marked, 3 leased by an owner
-- that goes before us, 4 by one that goes after us), when the leases lapse (13
-- digits, this server's clock), and a sum over the question and all of that.
local call, sub, pack, unpack = redis.call, string.sub, struct.pack, struct.unpack
local t = call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000) - 1704067200000
local fields, owner, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local least = lease + tonumber(ARGV[4])
local lapse = now + lease + 1
local mine = owner .. pack('>I5', lapse)
local out = {}
for i = 1, #KEYS do
  local key, field = KEYS[i], sub(fields, i * 12 - 11, i * 12)
  local state = '1'
  if call('HSETNX', key, field, mine) == 0 then
    local held = call('HGET', key, field)
    if unpack('>I5', held, #held - 4) > now then
      if #held == 5 then
        state = '2'
      elseif sub(held, 1, 16) ~= owner then
        state = unpack('>I6', held) < unpack('>I6', owner) and '3' or '4'
      end
    end
    if state == '1' then call('HSET', key, field, mine) end
  end
  if state == '1' and call('PTTL', key) < least then
    call('PEXPIRE', key, math.floor(least * 9 / 8))
  end
  out[i] = state
end
local states = table.concat(out) .. string.format('%013d', lapse)
return states .. redis.sha1hex(ARGV[5] .. fields .. states)
