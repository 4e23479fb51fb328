-- Gives up leases: compare-and-delete, only the owner's own.
-- KEYS[i] is the bucket of id i. ARGV: fields (12 bytes per id), owner (16
-- bytes), nonce. The answer has one digit per id (1 given up, 2 was not the
-- owner's) and a sum over the question and itself.
local call, sub = redis.call, string.sub
local fields, owner = ARGV[1], ARGV[2]
local out = {}
for i = 1, #KEYS do
  local key, field = KEYS[i], sub(fields, i * 12 - 11, i * 12)
  local held = call('HGET', key, field)
  out[i] = '2'
  if held and #held == 21 and sub(held, 1, 16) == owner then
    call('HDEL', key, field)
    out[i] = '1'
  end
end
local states = table.concat(out)
return states .. redis.sha1hex(ARGV[3] .. fields .. states)
