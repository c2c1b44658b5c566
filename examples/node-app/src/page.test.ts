import assert from "node:assert/strict";
import test from "node:test";
import { index, page } from "./page.ts";

test("a page has the first heading for its title", async () => {
  const html = await page("# A & B\n\nSome *words*.\n");
  assert.match(html, /<title>A &amp; B<\/title>/);
  assert.match(html, /<p>Some <em>words<\/em>\.<\/p>/);
});

test("the index links to all notes", async () => {
  assert.match(await index(["welcome", "todo"]), /<a href="\/welcome">welcome<\/a>[^]*<a href="\/todo">todo<\/a>/);
});
