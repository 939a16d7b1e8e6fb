// Rules of ESLint for node-binding/src-ts: which folder may import which, no circles, and no reaching into the objects of
// another folder.
import { dirname, join, relative, resolve, sep } from 'node:path';

// Which folders the files of a folder may import, from the top down: a folder sees only what stands below it here, so
// imports can't go in a circle. `index` is the file index.ts. `types`: folders of which only types may be imported.
//
// The two doors, `api` (a server of this package) and `bridge` (the engine under socket.io), never see each other.
// `options` stands on its own because both doors, `redis` and `http` read the types of options; `kraken` and `nest` work
// on a server, so they stand above the doors.
export const FOLDERS = {
  // The package's entry; `nest` and `redis` have entries of their own.
  index: { sees: ['kraken', 'api', 'bridge', 'cluster', 'engine', 'options', 'native', 'generated'] },
  // NestJS: adapter, module, service, exception filter.
  nest: { sees: ['kraken', 'api', 'bridge', 'native', 'generated'] },
  // The five calls of the application, on any server.
  kraken: { sees: ['api'] },
  // Factories and the emitter, under the names of @socket.io/redis-adapter and @socket.io/redis-emitter.
  redis: { sees: ['cluster', 'options', 'native', 'generated'], types: ['api'] },
  // A server of this package: socket.io's classes, under socket.io's file names.
  api: { sees: ['engine', 'cluster', 'http', 'options', 'native', 'generated'] },
  // The engine, and rooms in the core, under a server of socket.io.
  bridge: { sees: ['engine', 'http', 'options', 'native', 'generated'] },
  // What both doors have of engine.io: events, hooks, middlewares, the transport.
  engine: { sees: ['http', 'options', 'native', 'generated'] },
  // The other nodes: questions to them, and where Redis is.
  cluster: { sees: ['options', 'native'] },
  // HTTP servers and requests: Node's in front, the core's own listener, the client's bundles.
  http: { sees: ['options', 'native'] },
  // Types of options, and what becomes of them on the way to the core.
  options: { sees: ['native', 'generated', 'shapes'] },
  // The addon, what crosses to it and back, and what every folder needs: codes of errors, the clock.
  native: { sees: ['generated'] },
  // Written from tables in Rust.
  generated: { sees: [], types: ['shapes'] },
  // Types of options that are structures, which rows of these tables name.
  shapes: { sees: [] },
};

const order = Object.keys(FOLDERS);
for (const [at, folder] of order.entries()) {
  const { sees, types = [] } = FOLDERS[folder];
  const wrong = [...sees, ...types].find((below) => order.indexOf(below) <= at);
  if (wrong) throw new Error(`.ci/lint/house.mjs: ${folder} can not see ${wrong}, which does not stand below it`);
}

// Members whose name is a format's, not ours: a placeholder of socket.io-parser in values of any type.
const FORMATS = new Set(['_placeholder']);

const root = resolve('node-binding/src-ts');

/** The folder of a file, `index` for the one at the top; `undefined` for files of others. */
function folderOf(file) {
  const path = relative(root, resolve(file));
  if (path.startsWith('..')) return undefined;
  return path.includes(sep) ? path.slice(0, path.indexOf(sep)) : path.replace(/\.ts$/, '');
}

/** Calls `visit(node, path, typeOnly)` for each import of a file of ours. */
function imports(visit) {
  const declared = (node) => {
    if (!node.source?.value.startsWith('.')) return;
    const { specifiers = [], importKind, exportKind } = node;
    const inline = specifiers.length > 0 && specifiers.every((each) => (each.importKind ?? each.exportKind) === 'type');
    visit(node, node.source.value, importKind === 'type' || exportKind === 'type' || inline);
  };
  const literal = (node, argument, typeOnly) => {
    if (typeof argument?.value === 'string' && argument.value.startsWith('.')) visit(node, argument.value, typeOnly);
  };
  return {
    ImportDeclaration: declared,
    ExportNamedDeclaration: declared,
    ExportAllDeclaration: declared,
    ImportExpression: (node) => literal(node, node.source, false),
    TSImportType: (node) => literal(node, node.source, true),
    TSExternalModuleReference: (node) => literal(node, node.expression, false),
    CallExpression: (node) => {
      if (node.callee.name === 'require') literal(node, node.arguments[0], false);
    },
  };
}

const arrows = {
  meta: { type: 'problem', schema: [], messages: {
    unknown: '{{folder}} is not in the list of folders (.ci/lint/house.mjs)',
    forbidden: '{{from}} may not import {{kind}} of {{to}}: the list is in .ci/lint/house.mjs',
  } },
  create(context) {
    const from = folderOf(context.filename);
    const rule = FOLDERS[from];
    if (!rule) return { Program: (node) => context.report({ node, messageId: 'unknown', data: { folder: String(from) } }) };
    return imports((node, path, typeOnly) => {
      const to = folderOf(join(dirname(context.filename), path));
      // What stands beside the sources, the binary and package.json, has no place in the list.
      if (to === undefined || to === from || rule.sees.includes(to)) return;
      if (typeOnly && rule.types?.includes(to)) return;
      context.report({ node, messageId: 'forbidden', data: { from, to, kind: typeOnly ? 'types' : 'anything' } });
    });
  },
};

/** The file that a path stands for, among those of a program. */
function fileOf(program, from, path) {
  const place = join(dirname(from), path);
  return [`${place}.ts`, join(place, 'index.ts')].find((file) => program.getSourceFile(file));
}

const graphs = new WeakMap();

/** What each file imports at run time, by a program of TypeScript. */
function graphOf(program) {
  let graph = graphs.get(program);
  if (graph) return graph;
  graph = new Map();
  for (const { fileName, imports: found = [] } of program.getSourceFiles()) {
    if (folderOf(fileName) === undefined) continue;
    const kept = found.filter(({ parent, text }) => {
      if (!text.startsWith('.')) return false;
      const { importClause, isTypeOnly, exportClause } = parent;
      const names = (importClause?.namedBindings ?? exportClause)?.elements;
      const inline = names?.length > 0 && !importClause?.name && names.every((name) => name.isTypeOnly);
      return !isTypeOnly && !importClause?.isTypeOnly && !inline && parent.argument === undefined;
    });
    graph.set(fileName, kept.map(({ text }) => fileOf(program, fileName, text)).filter(Boolean));
  }
  graphs.set(program, graph);
  return graph;
}

/** The shortest way from one file to another, both included. */
function way(graph, from, to) {
  const before = new Map([[from, undefined]]);
  for (const file of before.keys()) {
    if (file === to) {
      const path = [];
      for (let at = to; at; at = before.get(at)) path.unshift(relative(root, at));
      return path;
    }
    for (const next of graph.get(file) ?? []) if (!before.has(next)) before.set(next, file);
  }
  return undefined;
}

const circles = {
  meta: { type: 'problem', schema: [], messages: { circle: 'this import closes a circle at run time: {{path}}' } },
  create(context) {
    const { program } = context.sourceCode.parserServices;
    const graph = graphOf(program);
    return imports((node, path, typeOnly) => {
      const file = typeOnly ? undefined : fileOf(program, context.filename, path);
      const found = file && way(graph, file, context.filename);
      if (found) context.report({ node, messageId: 'circle', data: { path: [relative(root, context.filename), ...found].join(' → ') } });
    });
  },
};

const members = {
  meta: { type: 'problem', schema: [], messages: {
    foreign: '{{name}} is internal to {{owner}}: let that folder export a function for what is needed here',
  } },
  create(context) {
    const services = context.sourceCode.parserServices;
    const from = folderOf(context.filename);
    const check = (node, name, symbol) => {
      const owners = (symbol?.declarations ?? []).map((each) => folderOf(each.getSourceFile().fileName) ?? 'another package');
      if (!owners.includes(from)) context.report({ node, messageId: 'foreign', data: { name, owner: owners[0] ?? 'an unknown type' } });
    };
    const internal = (key) => key.type === 'Identifier' && key.name.startsWith('_') && !FORMATS.has(key.name);
    const own = (node) => node?.type === 'ThisExpression' || node?.type === 'Super';
    return {
      MemberExpression: ({ object, property, computed }) => {
        if (!computed && internal(property) && !own(object)) check(property, property.name, services.getSymbolAtLocation(property));
      },
      ObjectPattern: (node) => {
        if (own(node.parent.init ?? node.parent.right)) return;
        const type = services.getTypeAtLocation(node);
        for (const { key, computed } of node.properties) {
          if (!key || computed || !internal(key)) continue;
          check(key, key.name, services.program.getTypeChecker().getPropertyOfType(type, key.name));
        }
      },
    };
  },
};

export default { rules: { arrows, circles, members } };
