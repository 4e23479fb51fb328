// Text is found as the server's search finds it: whatever people take for the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { source } from "./source.mjs";

const { fold, placesOf, wordsOf } = await source("fold.ts");

test("case, accents and forms that only look otherwise are folded", () => {
  for (const [a, b] of [
    ["STRASSE", "Straße"],
    ["cafe", "CAFÉ"],
    ["cafe", "cafe\u0301"],
    ["file", "ﬁle"],
    ["full", "Ｆｕｌｌ"],
    ["ΟΔΟΣ", "οδος"],
    ["istanbul", "İstanbul"],
    ["ſ", "S"],
    ["K", "\u212a"],
    ["ﾊﾞｰ", "バー"],
    ["한국", "한국".normalize("NFD")],
    ["ǅ", "dž"],
    ["ᾳ", "αι"],
  ])
    assert.equal(fold(a), fold(b), `${a} is ${b}`);
  assert.ok(fold("οδοσήμανση").includes(fold("οδοσ")), "a sigma that ends what is typed need not end the word");
});

test("what is another word stays another", () => {
  for (const [a, b] of [
    ["ı", "i"],
    ["か", "が"],
    ["हिन्दी", "हन्द"],
    ["a b", "ab"],
  ])
    assert.notEqual(fold(a), fold(b), `${a} is not ${b}`);
});

test("scripts without spaces go on over a blank and a line break, others do not", () => {
  assert.ok(fold("検索\nエンジン").includes(fold("索エ")));
  assert.ok(fold("サー\r\n  バー").includes(fold("サーバー")));
  assert.ok(!fold("ab\ncd").includes(fold("bc")));
  assert.ok(fold("ab\n  cd").includes(fold("b c")), "any blanks are one");
});

test("words stand where the server's search finds them", () => {
  const places = (text, find) => placesOf(text, wordsOf(find)).map(([a, b]) => text.slice(a, b));
  assert.deepEqual(places("A Refund? refunds, REFUND_2", "refund"), ["Refund", "REFUND"]);
  assert.deepEqual(places("Straße und Café", "strasse cafe"), ["Straße", "Café"]);
  assert.deepEqual(places("東京へ行く", "京"), ["京"]);
  assert.deepEqual(places("nothing of it", '"…" -'), []);
});
