using System.Globalization;
using System.Text;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>
/// A query as SQL; names and values go in as parameters only. Text compares by its UTF-8 bytes, which is the order of UTF-16
/// code units except that characters outside the basic plane (emoji) come after U+E000 to U+FFFF instead of before.
/// </summary>
internal sealed class ConditionSql
{
    private readonly StringBuilder _sql = new();
    private readonly List<object> _parameters = [];

    /// <summary>The rows of one page, and one more if there are more.</summary>
    public ConditionSql(string table, TableQuery query, RowKey? after)
    {
        _sql.Append("SELECT Partition, Row, Version, LargeId, Columns FROM TableRows WHERE TableName = ").Append(Parameter(table));
        if (query.PartitionFrom is { } only && only == query.PartitionTo)
        {
            And("Partition =", only);
            And("Row >", after?.Row);
        }
        else if (after is not null)
        {
            // Instead of PartitionFrom: of two lower bounds SQLite would take the wrong one to its index.
            _sql.Append(CultureInfo.InvariantCulture, $" AND (Partition, Row) > ({Parameter(after.Partition)}, {Parameter(after.Row)})");
            And("Partition <=", query.PartitionTo);
        }
        else
        {
            And("Partition >=", query.PartitionFrom);
            And("Partition <=", query.PartitionTo);
        }

        // Not the second lower bound of one column for the same reason: a page after another is behind RowFrom already.
        And(after is null || query.PartitionFrom != query.PartitionTo ? "Row >=" : "+Row >=", query.RowFrom);
        And("Row <", query.RowBefore);

        if (query.Where is { } where)
        {
            _sql.Append(" AND ");
            Add(where);
        }

        _sql.Append(" ORDER BY Partition, Row LIMIT ").Append(Parameter((long)query.PageSize + 1));
    }

    /// <summary>Makes the statement.</summary>
    public SqliteStatement Prepare(SqliteSession session)
    {
        var statement = session.Once(_sql.ToString());
        for (var i = 0; i < _parameters.Count; i++)
        {
            _ = _parameters[i] is string text ? statement.Bind(i + 1, text) : statement.Bind(i + 1, (long)_parameters[i]);
        }

        return statement;
    }

    private void And(string comparison, string? value)
    {
        if (value is not null)
        {
            _sql.Append(CultureInfo.InvariantCulture, $" AND {comparison} {Parameter(value)}");
        }
    }

    private void Add(TableCondition condition)
    {
        switch (condition)
        {
            case TableCondition.All all:
                Join(all.Conditions, " AND ", none: "1");
                break;
            case TableCondition.Any any:
                Join(any.Conditions, " OR ", none: "0");
                break;
            case TableCondition.Comparison comparison:
                Compare(comparison);
                break;
            default:
                throw new ArgumentException($"Unknown condition {condition}.", nameof(condition));
        }
    }

    private void Join(IReadOnlyList<TableCondition> conditions, string word, string none)
    {
        _sql.Append('(');
        for (var i = 0; i < conditions.Count; i++)
        {
            _sql.Append(i == 0 ? "" : word);
            Add(conditions[i]);
        }

        _sql.Append(conditions.Count == 0 ? none : "").Append(')');
    }

    // What is absent or has another type is NULL, which meets no comparison.
    private void Compare(TableCondition.Comparison comparison)
    {
        var path = Parameter(RowJson.Path(comparison.Column, comparison.Value));
        var value = Parameter(RowJson.Comparable(comparison.Value));
        var small = $"json_extract(Columns, {path})";
        var column = comparison.Value switch
        {
            // A null of JSON says that the value is among the large ones.
            string or byte[] => $"CASE json_type(Columns, {path}) WHEN 'null' THEN (SELECT json_extract(LargeColumns.Columns, {path}) FROM LargeColumns WHERE Id = LargeId) ELSE {small} END",

            // Whole numbers compare with each other.
            int number => $"ifnull({small}, json_extract(Columns, {Parameter(RowJson.Path(comparison.Column, (long)number))}))",
            long => $"ifnull({small}, json_extract(Columns, {Parameter(RowJson.Path(comparison.Column, 0))}))",
            _ => small,
        };
        var sign = comparison.Operator switch
        {
            ComparisonOperator.Equal => "=",
            ComparisonOperator.AtLeast => ">=",
            ComparisonOperator.Below => "<",
            _ => throw new ArgumentException($"Unknown operator {comparison.Operator}.", nameof(comparison)),
        };
        _sql.Append(CultureInfo.InvariantCulture, $"{column} {sign} {value}");
    }

    private string Parameter(object value)
    {
        _parameters.Add(value);
        return string.Create(CultureInfo.InvariantCulture, $"?{_parameters.Count}");
    }
}
