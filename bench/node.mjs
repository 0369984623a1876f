// Runs a WebAssembly file under node or bun, for comparison with V8 and JavaScriptCore.
//
//   node node.mjs invoke FILE FUNC TYPES [ARG...]     prints the results, one per line
//   node node.mjs wasi FILE [HOST::GUEST...] -- [ARG...]
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [kind, file, ...rest] = process.argv.slice(2);
const split = rest.indexOf("--");
const wasi = new WASI({
  version: "preview1",
  args: [file, ...(kind === "wasi" ? rest.slice(split + 1) : [])],
  preopens: Object.fromEntries(
    (kind === "wasi" ? rest.slice(0, split) : []).map((dir) => dir.split("::").reverse()),
  ),
});
const module = await WebAssembly.compile(await readFile(file));
const needs = WebAssembly.Module.imports(module).length > 0;
// bun has the imports under another name, and refuses to give them to a module without any.
const imports = needs ? (wasi.getImportObject?.() ?? wasi.getImports(module)) : {};
const instance = await WebAssembly.instantiate(module, imports);

if (kind === "wasi") {
  // node's WASI insists on a memory, which a program without system calls may lack.
  if (instance.exports.memory) process.exitCode = wasi.start(instance);
  else instance.exports._start?.();
} else {
  const [func, types, ...args] = rest;
  const values = types
    .split(",")
    .filter(Boolean)
    .map((type, i) => (type === "i64" ? BigInt(args[i]) : Number(args[i])));
  const result = instance.exports[func](...values);
  for (const value of Array.isArray(result) ? result : result === undefined ? [] : [result]) {
    process.stdout.write(`${value}\n`);
  }
}
