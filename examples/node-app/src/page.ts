import { marked } from "marked";

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as it stands in HTML. */
export function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => escapes[c]!);
}

/** A whole page around a Markdown document; the first heading is its title. */
export async function page(markdown: string): Promise<string> {
  const title = /^# +(.*)$/m.exec(markdown)?.[1] ?? "Notes";
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escape(title)}</title>
${await marked.parse(markdown)}</html>
`;
}

/** The page that links to all notes. */
export function index(names: string[]): Promise<string> {
  return page(["# Notes", "", ...names.map((name) => `- [${name}](/${name})`)].join("\n"));
}
