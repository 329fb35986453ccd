// Standard input: {"name": "query", ...}. Standard output: {"name": {"faults", "columns", "properties", "comparisons", "calls"}, ...}.
// The parser is Microsoft's own; the tables are those of Azure Monitor, as far as the queries may use them, or none with
// the argument --without-tables, and then only errors are faults. A comparison's "of" is the column, or the attribute that the column holds.
require('@kusto/language-service-next/bridge.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.js');
const { KustoCode, GlobalState, Symbols, Syntax } = globalThis.Kusto.Language;

const withoutTables = process.argv.includes('--without-tables');

const common = 'TimeGenerated: datetime, Properties: dynamic, OperationId: string, ParentId: string, AppRoleName: string, AppRoleInstance: string, ItemCount: int';
const request = 'ClientIP: string, SDKVersion: string';
const span = `${common}, Id: string, Name: string, ResultCode: string, Success: bool, DurationMs: real`;
const tables = {
  AppRequests: `(${span}, Url: string)`,
  // What a transformation of a workspace gets.
  source: `(${span}, ${request}, Url: string)`,
  AppDependencies: `(${span}, Target: string, DependencyType: string, Data: string)`,
  AppTraces: `(${common}, Message: string, SeverityLevel: int)`,
  AppExceptions: `(${common}, ExceptionType: string, OuterMessage: string, InnermostMessage: string, SeverityLevel: int)`,
  AppMetrics: `(${common}, Name: string, Sum: real, Min: real, Max: real)`,
};

const workspace = new Symbols.DatabaseSymbol.$ctor1(
  'workspace', Object.entries(withoutTables ? {} : tables).map(([name, schema]) => new Symbols.TableSymbol.$ctor7(name, schema, null)));
const globals = GlobalState.Default.WithDatabase(workspace);

const list = (sequence) => Array.from({ length: sequence?.Count ?? 0 }, (_, i) => sequence.getItem(i));

const kind = (node) => kinds.get(node.Kind);
const kinds = new Map(Object.entries(Syntax.SyntaxKind).map(([name, value]) => [value, name]));

function* nodes(node) {
  yield node;
  for (let i = 0; i < node.ChildCount; i++) {
    const child = node.GetChild(i);
    if (child) {
      yield* nodes(child);
    }
  }
}

const children = (node) => Array.from({ length: node.ChildCount }, (_, i) => node.GetChild(i)).filter(Boolean);
const literals = (node) => [...nodes(node)].filter((inner) => kind(inner) === 'StringLiteralExpression').map((inner) => inner.LiteralValue);

// Properties.kind and Properties["telecmi.outcome"].
function propertyOf(node) {
  if (!['PathExpression', 'ElementExpression'].includes(kind(node)) || children(node)[0].ToString().trim() !== 'Properties') {
    return undefined;
  }

  return kind(node) === 'PathExpression' ? children(node).at(-1).ToString().trim() : literals(node)[0];
}

const propertiesIn = (node) => [...nodes(node)].map(propertyOf).filter((name) => name !== undefined);

const comparing = new Set([
  'EqualExpression', 'NotEqualExpression', 'InExpression', 'NotInExpression', 'ContainsExpression', 'StartsWithExpression', 'HasExpression',
  'EqualTildeExpression', 'InCsExpression', 'NotInCsExpression', 'ContainsCsExpression', 'EndsWithExpression',
]);

function check(query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const all = [...nodes(code.Syntax)];
  const aliases = new Map();
  for (const named of all.filter((node) => kind(node) === 'SimpleNamedExpression')) {
    const [name] = children(named);
    const properties = propertiesIn(named);
    if (properties.length === 1) {
      aliases.set(name.ToString().trim(), properties[0]);
    }
  }

  return {
    faults: list(code.GetDiagnostics()).filter((fault) => !withoutTables || fault.Severity === 'Error')
      .map((fault) => `${fault.Message} (at: ${query.substr(fault.Start, 40)})`),
    columns: list(code.ResultType?.Columns).map((column) => column.Name),
    properties: propertiesIn(code.Syntax),
    comparisons: all.filter((node) => comparing.has(kind(node))).map((node) => {
      const [left] = children(node);
      const name = left.ToString().trim();
      return { of: propertiesIn(left)[0] ?? aliases.get(name) ?? name, values: literals(node).filter((value) => !literals(left).includes(value)) };
    }),
    calls: all.filter((node) => kind(node) === 'FunctionCallExpression').map((node) => node.Name.SimpleName),
  };
}

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (part) => (input += part));
process.stdin.on('end', () => {
  const queries = Object.entries(JSON.parse(input));
  process.stdout.write(JSON.stringify(Object.fromEntries(queries.map(([name, query]) => [name, check(query)]))));
});
