namespace TeleCmi.Pipeline.Storage;

/// <summary>A table of rows by partition and row key, each with a version that changes with every write.</summary>
public interface ITable
{
    /// <summary>The table's name.</summary>
    string Name { get; }

    /// <summary>Inserts a row unless one with its keys is there.</summary>
    /// <returns>The new row's version; null when there is a row already.</returns>
    Task<string?> TryInsertAsync(TableRow row, CancellationToken cancellation);

    /// <summary>
    /// Inserts as <see cref="TryInsertAsync"/> does, for a row whose loss only lets work begin again. It survives the end of every
    /// process. A power failure may undo it, and with it all that was written later.
    /// </summary>
    /// <returns>The new row's version; null when there is a row already.</returns>
    Task<string?> TryClaimAsync(TableRow row, CancellationToken cancellation) => TryInsertAsync(row, cancellation);

    /// <summary>Reads one row.</summary>
    /// <param name="key">Where it is.</param>
    /// <param name="columns">The columns to read; null: all.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <returns>Null when it is not there.</returns>
    Task<TableRow?> FindAsync(RowKey key, IReadOnlyCollection<string>? columns, CancellationToken cancellation);

    /// <summary>Writes the row's columns into the row that is there; its other columns stay.</summary>
    /// <param name="row">The columns to write.</param>
    /// <param name="version">The version that must be there; null: any.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    Task<WriteOutcome> MergeAsync(TableRow row, string? version, CancellationToken cancellation);

    /// <summary>Puts the row in the place of the one that is there.</summary>
    /// <param name="row">The whole row.</param>
    /// <param name="version">The version that must be there; null: any.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    Task<WriteOutcome> ReplaceAsync(TableRow row, string? version, CancellationToken cancellation);

    /// <summary>Inserts the row, or puts it in the place of the one that is there.</summary>
    Task UpsertAsync(TableRow row, CancellationToken cancellation);

    /// <summary>Deletes a row.</summary>
    /// <param name="key">Where it is.</param>
    /// <param name="version">The version that must be there; null: any.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    Task<WriteOutcome> DeleteAsync(RowKey key, string? version, CancellationToken cancellation);

    /// <summary>Reads one page of the rows that match, in the order of their keys (ordinal).</summary>
    /// <param name="query">Which rows.</param>
    /// <param name="continuation">Where the page before ended; null: the first page.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    Task<TablePage> ReadPageAsync(TableQuery query, string? continuation, CancellationToken cancellation);
}

/// <summary>How a write to an existing row ended.</summary>
public enum WriteOutcome
{
    /// <summary>Done.</summary>
    Written,

    /// <summary>Nothing was written: the row has another version.</summary>
    Changed,

    /// <summary>Nothing was written: there is no such row.</summary>
    Missing,
}

/// <summary>Where a row is. Characters that Azure Storage forbids in keys must be encoded (<see cref="TableKey"/>).</summary>
/// <param name="Partition">The partition key.</param>
/// <param name="Row">The row key.</param>
public sealed record RowKey(string Partition, string Row);

/// <summary>Which rows; null means any.</summary>
public sealed record TableQuery
{
    /// <summary>The first partition.</summary>
    public string? PartitionFrom { get; init; }

    /// <summary>The last partition, included.</summary>
    public string? PartitionTo { get; init; }

    /// <summary>The first row key.</summary>
    public string? RowFrom { get; init; }

    /// <summary>The row key that ends the range, not included.</summary>
    public string? RowBefore { get; init; }

    /// <summary>What the columns must say.</summary>
    public TableCondition? Where { get; init; }

    /// <summary>The columns to read besides the keys; null: all.</summary>
    public IReadOnlyCollection<string>? Columns { get; init; }

    /// <summary>The most rows of one page, from 1 to 1000.</summary>
    public int PageSize { get; init; } = 1000;
}

/// <summary>One page of rows.</summary>
/// <param name="Rows">The rows; there may be none although more pages follow.</param>
/// <param name="Continuation">Where the next page begins, opaque; null: this was the last.</param>
public sealed record TablePage(IReadOnlyList<TableRow> Rows, string? Continuation);

/// <summary>A condition on a row's columns. A row without the column meets no comparison; a store compares moments to the millisecond at least.</summary>
public abstract record TableCondition
{
    private TableCondition()
    {
    }

    /// <summary>The column equals the value.</summary>
    public static TableCondition Equal(string column, object value) => new Comparison(column, ComparisonOperator.Equal, value);

    /// <summary>The column is at least the value.</summary>
    public static TableCondition AtLeast(string column, object value) => new Comparison(column, ComparisonOperator.AtLeast, value);

    /// <summary>The column is below the value.</summary>
    public static TableCondition Below(string column, object value) => new Comparison(column, ComparisonOperator.Below, value);

    /// <summary>The text column begins with the prefix: a range, as both stores can read it from an index.</summary>
    public static TableCondition StartsWith(string column, string prefix) =>
        new All([AtLeast(column, prefix), Below(column, $"{prefix[..^1]}{(char)(prefix[^1] + 1)}")]);

    /// <summary>Every condition that is there; null when none is.</summary>
    public static TableCondition? AllOf(params IEnumerable<TableCondition?> conditions) => conditions.OfType<TableCondition>().ToArray() switch
    {
        [] => null,
        [var only] => only,
        var several => new All(several),
    };

    /// <summary>One of the conditions at least.</summary>
    public static TableCondition AnyOf(params IReadOnlyList<TableCondition> conditions) => new Any(conditions);

    /// <summary>Compares one column with a value (text by its UTF-16 code units).</summary>
    public sealed record Comparison(string Column, ComparisonOperator Operator, object Value) : TableCondition;

    /// <summary>Every one of them.</summary>
    public sealed record All(IReadOnlyList<TableCondition> Conditions) : TableCondition;

    /// <summary>At least one of them.</summary>
    public sealed record Any(IReadOnlyList<TableCondition> Conditions) : TableCondition;
}

/// <summary>How a column is compared.</summary>
public enum ComparisonOperator
{
    /// <summary>Equal.</summary>
    Equal,

    /// <summary>Equal or greater.</summary>
    AtLeast,

    /// <summary>Less.</summary>
    Below,
}
