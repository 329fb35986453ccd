using System.Diagnostics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TeleCmi.Functions.Tests;

/// <summary>
/// The app as its own Program.cs puts it together and starts it. A trigger is made as the worker makes it: a new
/// instance per invocation, its parts from the app's services.
/// </summary>
internal sealed class RunningApp : IAsyncDisposable
{
    public const string Token = "a-token-of-the-tests-1";
    public const string OtherToken = "a-token-of-the-tests-2";

    // Nothing listens on port 1, and nothing that needs storage may start by asking for it.
    private const string NoStorage =
        "DefaultEndpointsProtocol=http;AccountName=none;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/none;TableEndpoint=http://127.0.0.1:1/none;";

    private readonly IHostApplicationLifetime _lifetime;
    private readonly Task _main;

    private RunningApp(BuiltHost host, Task main)
    {
        _lifetime = host.Lifetime;
        _main = main;
        Services = host.Services;
    }

    public IServiceProvider Services { get; }

    public static Dictionary<string, string> Settings(string? storage = null) => new(StringComparer.Ordinal)
    {
        ["TeleCmiStorage"] = storage ?? NoStorage,
        ["TeleCmiEventsQueue"] = "telecmi-events",
        ["TeleCmiForwardsQueue"] = "telecmi-forwards",
        ["TeleCmi__AccessTokens"] = $"{Token},{OtherToken}",
        ["TeleCmi__EnqueueDeadline"] = "00:00:01",
        ["Logging__LogLevel__Default"] = "None",
    };

    /// <summary>Runs Program.cs until the host has started.</summary>
    /// <exception cref="Exception">Whatever stopped the app at its start.</exception>
    public static async Task<RunningApp> StartAsync(
        IReadOnlyDictionary<string, string>? settings = null, Action<IServiceCollection>? replace = null)
    {
        string[] arguments = [.. (settings ?? Settings()).Select(setting => $"--{setting.Key.Replace("__", ":")}={setting.Value}")];
        using var building = new HostInTheMaking(replace);
        var main = Task.Run(() => building.Watch(() => Program.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [arguments], null)));
        if (await Task.WhenAny(main, building.Built) == main)
        {
            await main;
            throw new InvalidOperationException("Program.cs ended without building a host.");
        }

        var host = await building.Built;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = host.Lifetime.ApplicationStarted.Register(started.SetResult);
        if (await Task.WhenAny(main, started.Task) == main)
        {
            await main;
        }

        return new RunningApp(host, main);
    }

    public T Trigger<T>() => ActivatorUtilities.CreateInstance<T>(Services);

    public void BeginToStop() => _lifetime.StopApplication();

    public async ValueTask DisposeAsync()
    {
        BeginToStop();
        await _main;
    }

    private static MethodInfo Program => typeof(ReceiveEvent).Assembly.EntryPoint!;

    private sealed record BuiltHost(IServiceProvider Services, IHostApplicationLifetime Lifetime);

    /// <summary>Hears of the host that is built in its own flow of execution, by the generic host's diagnostic events.</summary>
    private sealed class HostInTheMaking : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private static readonly AsyncLocal<HostInTheMaking?> Current = new();

        private readonly TaskCompletionSource<BuiltHost> _built = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Action<IServiceCollection>? _replace;
        private readonly IDisposable _subscription;

        public HostInTheMaking(Action<IServiceCollection>? replace)
        {
            _replace = replace;
            _subscription = DiagnosticListener.AllListeners.Subscribe(this);
        }

        public Task<BuiltHost> Built => _built.Task;

        public void Watch(Action run)
        {
            Current.Value = this;
            run();
        }

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting" && Current.Value == this)
            {
                value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "HostBuilding", Value: IHostBuilder builder } && _replace is not null)
            {
                builder.ConfigureServices(_replace);
            }
            else if (value is { Key: "HostBuilt", Value: IHost host })
            {
                // Now: a host that fails to start disposes of its services.
                _built.TrySetResult(new(host.Services, host.Services.GetRequiredService<IHostApplicationLifetime>()));
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscription.Dispose();
    }
}
