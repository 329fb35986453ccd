using System.Globalization;
using Xunit;

namespace TeleCmi.TestSupport;

/// <summary>
/// One real Azurite for a test assembly, in memory and on free ports. Each test takes an account of its own, which is
/// empty, so that no test sees another's queues and tables. Without Node.js the tests fail and say so.
/// </summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private const int Accounts = 2000;
    private const string Key = "a2V5";

    private Azurite? _azurite;
    private int _taken;

    public AzuritePorts Ports => _azurite!.Ports;

    /// <summary>The connection string to an account that nobody has used yet.</summary>
    public string NewStorage()
    {
        var number = Interlocked.Increment(ref _taken);
        return number <= Accounts
            ? Azurite.ConnectionStringFor(Ports, Name(number), Key)
            : throw new InvalidOperationException($"More than {Accounts} tests asked for an account: raise the number.");
    }

    public async ValueTask InitializeAsync() => _azurite = await Azurite.StartAsync(
        Repository.Find(),
        AzuritePorts.Any,
        dataFolder: null,
        Console.WriteLine,
        CancellationToken.None,
        string.Join(';', Enumerable.Range(1, Accounts).Select(number => $"{Name(number)}:{Key}")));

    public async ValueTask DisposeAsync()
    {
        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
        }
    }

    private static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"t{number}");
}
