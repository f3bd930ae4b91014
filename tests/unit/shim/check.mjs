// Reads jobs as lines of JSON and answers each with a line of JSON: an error's text, or what was found.
//
//   {source}         whether it is ES2015; what the values put into it are when it is run
//   {source, other}  whether both are one program, but for the local names and for `const a…, b…` against two consts

import { createInterface } from "node:readline";
import vm from "node:vm";

import { parse } from "acorn";

const tree = (source) => parse(source, { ecmaVersion: 2015, sourceType: "script" });

/** Runs the script in a page that has nothing, and returns what can be seen from outside. */
function values(source) {
  const nothing = () => {};
  const hosts = [];
  const window = { sessionStorage: {}, addEventListener: nothing, CustomEvent, location: { href: "http://app/" } };
  const document = { currentScript: { src: "http://app/oc.js", dataset: {} }, addEventListener: nothing };
  window.parent = {};
  window.sessionStorage = new Proxy({}, { get: () => JSON.stringify({ vCard: { jid: "a@b" }, host: "probe" }) });
  const seen = function (host) {
    if (host === "probe") hosts.push(...this);
    return -1;
  };
  const context = vm.createContext({ window, document, location: window.location, setTimeout: nothing, seen });
  vm.runInContext("Array.prototype.indexOf = seen", context);
  vm.runInContext(source, context);
  return { appId: window.OC.app.id, origins: hosts };
}

/** Fails unless the trees are equal but for names; `names` maps those of the one to those of the other. */
function compare(a, b, names) {
  if (a === null || typeof a !== "object") {
    if (a !== b) throw new Error(`${a} became ${b}`);
    return;
  }
  if (Array.isArray(a)) {
    const [one, two] = [flat(a), flat(b)];
    if (one.length !== two.length) throw new Error(`${one.length} nodes became ${two.length}`);
    one.forEach((node, i) => compare(node, two[i], names));
    return;
  }
  if (a.type !== b.type) throw new Error(`${a.type} became ${b.type}`);
  for (const key of Object.keys(a)) {
    if (key === "start" || key === "end" || key === "raw") continue;
    const isName = key === "name" && a.type === "Identifier";
    if (isName) names.push([a.name, b.name]);
    else if (isProperty(a, key)) same(a[key], b[key]);
    else compare(a[key], b[key], names);
  }
}

const isProperty = (node, key) =>
  !node.computed && ((node.type === "MemberExpression" && key === "property") || (node.type === "Property" && key === "key"));

function same(a, b) {
  if (a.name !== b.name || a.value !== b.value) throw new Error(`the property ${a.name} became ${b.name}`);
}

/** Declarations of several constants as one declaration each. */
const flat = (nodes) =>
  nodes.flatMap((node) =>
    node && node.type === "VariableDeclaration"
      ? node.declarations.map((one) => ({ type: "VariableDeclaration", kind: node.kind, declarations: one }))
      : [node],
  );

/** The statements of the outer function: a name may stand for something else in each. */
const statements = (program) => {
  const { params, body } = program.body[0].expression.callee;
  return [params, ...flat(body.body)];
};

function oneProgram(source, other) {
  const [a, b] = [tree(source), tree(other)];
  const [one, two] = [statements(a), statements(b)];
  if (one.length !== two.length) throw new Error(`${one.length} statements became ${two.length}`);
  const outer = new Set([
    ...one[0].map((param) => param.name),
    ...one.filter((node) => node.type === "VariableDeclaration").map((node) => node.declarations.id.name),
  ]);
  const everywhere = new Map();
  const taken = new Map();
  one.forEach((node, i) => {
    const names = [];
    compare(node, two[i], names);
    const there = new Map();
    const back = new Map();
    for (const [from, to] of names) {
      // one new name for each old one, and none for two: then nothing is captured
      if ((there.get(from) ?? to) !== to) throw new Error(`${from} became ${there.get(from)} and ${to}`);
      if ((back.get(to) ?? from) !== from) throw new Error(`${back.get(to)} and ${from} became ${to}`);
      there.set(from, to);
      back.set(to, from);
      if (!outer.has(from)) continue;
      if ((everywhere.get(from) ?? to) !== to) throw new Error(`${from} is ${everywhere.get(from)} and ${to}`);
      if ((taken.get(to) ?? from) !== from) throw new Error(`${to} is ${taken.get(to)} and ${from}`);
      everywhere.set(from, to);
      taken.set(to, from);
    }
  });
  return { names: everywhere.size };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { source, other } = JSON.parse(line);
  let answer;
  try {
    tree(source);
    answer = other === undefined ? values(source) : oneProgram(source, other);
  } catch (error) {
    answer = { error: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
