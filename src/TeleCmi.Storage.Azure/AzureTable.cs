using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Azure;

/// <summary>An Azure Storage table; created when storage says that it is missing.</summary>
internal sealed class AzureTable(string name, Lazy<TableClient> client) : ITable
{
    public string Name => name;

    public Task<string?> TryInsertAsync(TableRow row, CancellationToken cancellation) => CreatingAsync<string?>(
        async deadline =>
        {
            try
            {
                var response = await client.Value.AddEntityAsync(ToEntity(row), deadline);
                return response.Headers.ETag!.Value.ToString();
            }
            catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.EntityAlreadyExists)
            {
                return null;
            }
        },
        cancellation);

    public Task<TableRow?> FindAsync(RowKey key, IReadOnlyCollection<string>? columns, CancellationToken cancellation) => AzureFaults.MapAsync(
        async deadline =>
        {
            var found = await client.Value.GetEntityIfExistsAsync<TableEntity>(key.Partition, key.Row, columns, deadline);
            return found is { HasValue: true, Value: { } entity } ? ToRow(entity) : null;
        },
        cancellation);

    public Task<WriteOutcome> MergeAsync(TableRow row, string? version, CancellationToken cancellation) =>
        WriteAsync(deadline => client.Value.UpdateEntityAsync(ToEntity(row), ETagOf(version), TableUpdateMode.Merge, deadline), cancellation);

    public Task<WriteOutcome> ReplaceAsync(TableRow row, string? version, CancellationToken cancellation) =>
        WriteAsync(deadline => client.Value.UpdateEntityAsync(ToEntity(row), ETagOf(version), TableUpdateMode.Replace, deadline), cancellation);

    public Task UpsertAsync(TableRow row, CancellationToken cancellation) =>
        CreatingAsync(deadline => client.Value.UpsertEntityAsync(ToEntity(row), TableUpdateMode.Replace, deadline), cancellation);

    public Task<WriteOutcome> DeleteAsync(RowKey key, string? version, CancellationToken cancellation) =>
        WriteAsync(deadline => client.Value.DeleteEntityAsync(key.Partition, key.Row, ETagOf(version), deadline), cancellation);

    public Task<TablePage> ReadPageAsync(TableQuery query, string? continuation, CancellationToken cancellation) => AzureFaults.MapAsync(
        async deadline =>
        {
            try
            {
                var columns = query.Columns is null ? null : query.Columns.Append(nameof(TableEntity.PartitionKey)).Append(nameof(TableEntity.RowKey));
                var pages = client.Value.QueryAsync<TableEntity>(FilterOf(query), query.PageSize, columns, deadline).AsPages(continuation, query.PageSize);
                await foreach (var page in pages)
                {
                    return new TablePage([.. page.Values.Select(ToRow)], page.ContinuationToken);
                }
            }
            catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
            {
                // Reads as empty.
            }

            return new TablePage([], null);
        },
        cancellation);

    private static Task<WriteOutcome> WriteAsync(Func<CancellationToken, Task<Response>> write, CancellationToken cancellation) => AzureFaults.MapAsync(
        async deadline =>
        {
            try
            {
                // Deleting a row that is gone is no error to the SDK.
                var response = await write(deadline);
                return response.Status == 404 ? WriteOutcome.Missing : WriteOutcome.Written;
            }
            catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.UpdateConditionNotSatisfied)
            {
                return WriteOutcome.Changed;
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                return WriteOutcome.Missing;
            }
        },
        cancellation);

    private Task<T> CreatingAsync<T>(Func<CancellationToken, Task<T>> write, CancellationToken cancellation) => AzureFaults.MapAsync(
        async deadline =>
        {
            try
            {
                return await write(deadline);
            }
            catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
            {
                await client.Value.CreateIfNotExistsAsync(deadline);
                return await write(deadline);
            }
        },
        cancellation);

    private static ETag ETagOf(string? version) => version is null ? ETag.All : new ETag(version);

    private static TableEntity ToEntity(TableRow row)
    {
        var entity = new TableEntity(row.Key.Partition, row.Key.Row);
        foreach (var (column, value) in row)
        {
            entity[column] = value;
        }

        return entity;
    }

    private static TableRow ToRow(TableEntity entity)
    {
        var row = new TableRow(new RowKey(entity.PartitionKey, entity.RowKey)) { Version = entity.ETag == default ? null : entity.ETag.ToString() };
        foreach (var (column, value) in entity)
        {
            if (column is not (nameof(TableEntity.PartitionKey) or nameof(TableEntity.RowKey) or nameof(TableEntity.Timestamp) or "odata.etag"))
            {
                row[column] = value;
            }
        }

        return row;
    }

    private static string? FilterOf(TableQuery query)
    {
        string?[] parts =
        [
            query.PartitionFrom is { } from ? TableClient.CreateQueryFilter($"PartitionKey ge {from}") : null,
            query.PartitionTo is { } to ? TableClient.CreateQueryFilter($"PartitionKey le {to}") : null,
            query.RowFrom is { } first ? TableClient.CreateQueryFilter($"RowKey ge {first}") : null,
            query.RowBefore is { } before ? TableClient.CreateQueryFilter($"RowKey lt {before}") : null,
            query.Where is { } condition ? FilterOf(condition) : null,
        ];
        return string.Join(" and ", parts.OfType<string>()) is { Length: > 0 } filter ? filter : null;
    }

    private static string FilterOf(TableCondition condition) => condition switch
    {
        TableCondition.Comparison comparison => Compare(comparison),
        TableCondition.All all => $"({string.Join(" and ", all.Conditions.Select(FilterOf))})",
        TableCondition.Any any => $"({string.Join(" or ", any.Conditions.Select(FilterOf))})",
        _ => throw new ArgumentOutOfRangeException(nameof(condition)),
    };

    // The SDK writes the literal; the column's name is ours.
    private static string Compare(TableCondition.Comparison comparison) => string.Create(CultureInfo.InvariantCulture, $"{comparison.Column} {comparison.Operator switch
    {
        ComparisonOperator.Equal => "eq",
        ComparisonOperator.AtLeast => "ge",
        ComparisonOperator.Below => "lt",
        _ => throw new ArgumentOutOfRangeException(nameof(comparison)),
    }} {TableClient.CreateQueryFilter($"{comparison.Value}")}");
}
