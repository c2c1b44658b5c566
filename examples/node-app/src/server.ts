import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { index, page } from "./page.ts";

const folder = process.env.NOTES ?? "notes";

/** The page at a path, or undefined if there is none. */
async function find(path: string): Promise<string | undefined> {
  const names = (await readdir(folder)).filter((f) => f.endsWith(".md")).map((f) => basename(f, ".md")).sort();
  const name = path.slice(1);
  if (name === "") return index(names);
  return names.includes(name) ? page(await readFile(join(folder, name + ".md"), "utf8")) : undefined;
}

const server = createServer(async (request, response) => {
  try {
    const body = await find(new URL(request.url ?? "/", "http://localhost").pathname);
    response.writeHead(body === undefined ? 404 : 200, { "content-type": "text/html; charset=utf-8" });
    response.end(body ?? "There is no such note.\n");
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});

server.listen(Number(process.env.PORT ?? 8080), () => {
  console.log(`listening on port ${(server.address() as AddressInfo).port}`);
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => server.close());
}
