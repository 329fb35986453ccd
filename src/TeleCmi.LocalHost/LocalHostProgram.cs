using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using TeleCmi.LocalHost.LivePage;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.LocalHost;

/// <summary>The program: it starts, tells where it listens, and ends in order whoever asks it to; what keeps it from starting is a sentence.</summary>
public static class LocalHostProgram
{
    private const string AnyPort = "http://127.0.0.1:0";

    /// <summary>Runs until it is asked to stop.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="configure">Adds to the services.</param>
    /// <returns>The exit code: 0 after a stop, 1 when it could not start or the sample failed.</returns>
    public static async Task<int> RunAsync(string[] args, Action<IServiceCollection>? configure = null)
    {
        if (CommandLine.AsksForHelp(args))
        {
            Console.WriteLine(CommandLine.Help);
            return 0;
        }

        using var interrupted = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        // A terminal that is closed ends nothing in the middle.
        using var onHangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            return await RunAsync(args, configure, interrupted.Token);
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted.");
        }
        catch (Exception e) when (Explain(e) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
        }

        return 1;

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            interrupted.Cancel();
        }
    }

    private static async Task<int> RunAsync(string[] args, Action<IServiceCollection>? configure, CancellationToken interrupted)
    {
        CommandLine.Check(args);
        var isSample = args.Contains(CommandLine.Sample, StringComparer.OrdinalIgnoreCase);
        string[] settings = [.. args.Where(argument => !argument.Equals(CommandLine.Sample, StringComparison.OrdinalIgnoreCase))];

        // The sample has its own port and its own queues, so that it also runs beside a receiver and takes none of its events.
        var builder = LocalHostApp.CreateBuilder(isSample ? ["--urls", AnyPort, .. SampleRun.Settings, .. settings] : settings);
        configure?.Invoke(builder.Services);
        await using var app = LocalHostApp.Build(builder);
        await app.StartSafelyAsync(interrupted);
        var webhook = new Uri(new Uri(app.Urls.First()), WebhookHandler.EventsPath);
        Console.WriteLine($"Webhook: {webhook} (POST or GET); stop with Ctrl+C");
        if (isSample)
        {
            var exitCode = await ActivatorUtilities.CreateInstance<SampleRun>(app.Services, Console.Out).RunAsync(webhook, interrupted);
            await app.StopAsync(CancellationToken.None);
            return exitCode;
        }

        if (app.Services.GetService<LivePageKey>() is { } key)
        {
            Console.WriteLine($"Watch it live: {key.AddressOn(webhook)}");
        }

        await app.WaitForShutdownAsync(interrupted);
        return 0;
    }

    private static string? Explain(Exception failure) => failure switch
    {
        StartupException or StorageException => failure.Message,
        OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures),
        AggregateException several when several.InnerExceptions.All(inner => inner is OptionsValidationException) =>
            string.Join(Environment.NewLine, several.InnerExceptions.Select(Explain)),

        // The configuration binder: it names the setting and the type that it wants.
        InvalidOperationException { InnerException: FormatException or OverflowException or ArgumentException } => failure.Message,
        SocketException => $"{failure.Message}: this machine cannot listen there. Choose another address: --urls {LocalHostApp.DefaultUrl}",
        IOException { InnerException: AddressInUseException } =>
            $"{failure.Message} Stop the program that uses it, or choose another address: --urls http://127.0.0.1:7072",
        _ => null,
    };
}
