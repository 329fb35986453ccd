using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Storage.Sqlite;

/// <summary>Puts the pipeline on one embedded file.</summary>
public static class SqliteStorageServices
{
    /// <summary>Adds the embedded store when <c>TeleCmiStorage</c> names a file, or nothing at all.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The settings.</param>
    /// <param name="folder">Where the store is when no file is named; null or empty: <see cref="DataFolder.Default"/>.</param>
    /// <param name="mustExist">Whether a store that is not there yet is an error instead of made.</param>
    /// <returns>False when the setting names another kind of storage.</returns>
    /// <exception cref="StorageException">It names no file, or the store is not there.</exception>
    public static bool TryAddSqliteStorage(this IServiceCollection services, IConfiguration configuration, string? folder, bool mustExist = false)
    {
        var section = configuration.GetSection(IStore.Setting);
        var isNamed = !string.IsNullOrWhiteSpace(section.Value) || section.GetChildren().Any();
        if (!SqliteStore.TryParse(isNamed ? section.Value : $"{SqliteStore.Scheme}{DataFolder.FileIn(folder)}", out var file, out var fault))
        {
            return fault is null ? false : throw new StorageException(fault);
        }

        if (mustExist && !File.Exists(file))
        {
            throw new StorageException($"There is no store at {file} yet: start the receiver, or name another one with --storage or {IStore.Setting}.");
        }

        services.AddSingleton(provider => new SqliteStore(file, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IStore>(provider => provider.GetRequiredService<SqliteStore>());
        return true;
    }
}
