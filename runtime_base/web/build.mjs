// Builds the console into the runtime's package (or --out FOLDER), or with --tests the tests, for Node's test runner.
//
// What it writes depends on the sources and on the versions in package-lock.json, and on nothing else: a test compares.

import { build } from "esbuild";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const FONTS = [
  ["geist", "geist-latin-wght-normal.woff2"],
  ["geist-mono", "geist-mono-latin-wght-normal.woff2"],
];

const common = {
  bundle: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  alias: { "rspp-client": join(HERE, "client/src/index.ts") },
  absWorkingDir: HERE,
};

async function console_(out) {
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    ...common,
    minify: true,
    jsx: "automatic",
    jsxImportSource: "preact",
    external: ["*.woff2"],
    entryPoints: { app: "console/src/main.tsx", style: "console/src/style.css" },
    outdir: out,
  });
  await build({
    ...common,
    minify: true,
    entryPoints: { player: "client/src/player.worklet.ts", capture: "client/src/capture.worklet.ts" },
    outdir: out,
  });
  await cp(join(HERE, "console/index.html"), join(out, "index.html"));
  await cp(join(HERE, "console/icon.svg"), join(out, "icon.svg"));
  for (const [name, file] of FONTS) {
    const folder = join(HERE, "node_modules/@fontsource-variable", name);
    await cp(join(folder, "files", file), join(out, `${name}.woff2`));
  }
  const licence = await readFile(join(HERE, "node_modules/@fontsource-variable/geist/LICENSE"), "utf8");
  const others = `${await licenceOf("preact")}\n\n---- @msgpack/msgpack\n\n${await licenceOf("@msgpack/msgpack")}`;
  await writeFile(join(out, "LICENSES.txt"), `---- Geist, Geist Mono\n\n${licence}\n\n---- preact\n\n${others}`);
}

async function licenceOf(name) {
  return await readFile(join(HERE, "node_modules", name, "LICENSE"), "utf8");
}

async function client(out) {
  await build({
    ...common,
    entryPoints: {
      index: "client/src/index.ts",
      player: "client/src/player.worklet.ts",
      capture: "client/src/capture.worklet.ts",
    },
    outdir: out,
  });
}

async function tests(out) {
  await rm(out, { recursive: true, force: true });
  const entryPoints = [];
  for (const folder of ["client/test", "console/test"]) {
    for (const file of await readdir(join(HERE, folder))) {
      if (file.endsWith(".test.ts") || file === "live.ts") entryPoints.push(join(folder, file));
    }
  }
  await build({ ...common, platform: "node", packages: "external", entryPoints, outdir: out, outbase: HERE });
}

const args = process.argv.slice(2);
const at = args.indexOf("--out");
if (args.includes("--tests")) await tests(join(HERE, "out/test"));
else if (args.includes("--client")) await client(join(HERE, "client/dist"));
else await console_(at >= 0 ? resolve(args[at + 1]) : join(HERE, "../src/rspp_runtime/console"));
