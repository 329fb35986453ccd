// Standard input: {"name": "query", ...}. Standard output: {"name": {"faults": [...], "columns": [...]}, ...}.
// The parser is Microsoft's own; the tables are those of Azure Monitor, as far as the queries may use them.
require('@kusto/language-service-next/bridge.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.js');
const { KustoCode, GlobalState, Symbols } = globalThis.Kusto.Language;

const common = 'TimeGenerated: datetime, Properties: dynamic, OperationId: string, ParentId: string, AppRoleName: string, AppRoleInstance: string, ItemCount: int';
const span = `${common}, Id: string, Name: string, ResultCode: string, Success: bool, DurationMs: real`;
const tables = {
  AppRequests: `(${span}, Url: string)`,
  AppDependencies: `(${span}, Target: string, DependencyType: string, Data: string)`,
  AppTraces: `(${common}, Message: string, SeverityLevel: int)`,
  AppExceptions: `(${common}, ExceptionType: string, OuterMessage: string, InnermostMessage: string, SeverityLevel: int)`,
  AppMetrics: `(${common}, Name: string, Sum: real, Min: real, Max: real)`,
};

const workspace = new Symbols.DatabaseSymbol.$ctor1(
  'workspace', Object.entries(tables).map(([name, schema]) => new Symbols.TableSymbol.$ctor7(name, schema, null)));
const globals = GlobalState.Default.WithDatabase(workspace);

const list = (sequence) => Array.from({ length: sequence?.Count ?? 0 }, (_, i) => sequence.getItem(i));

function check(query) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  return {
    faults: list(code.GetDiagnostics()).map((fault) => `${fault.Message} (at: ${query.substr(fault.Start, 40)})`),
    columns: list(code.ResultType?.Columns).map((column) => column.Name),
  };
}

let input = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (part) => (input += part));
process.stdin.on('end', () => {
  const queries = Object.entries(JSON.parse(input));
  process.stdout.write(JSON.stringify(Object.fromEntries(queries.map(([name, query]) => [name, check(query)]))));
});
