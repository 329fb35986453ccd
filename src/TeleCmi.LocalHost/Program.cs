using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;
using TeleCmi.LocalHost;
using TeleCmi.LocalHost.LivePage;
using TeleCmi.Pipeline.Storage;

const string AnyPort = "http://127.0.0.1:0";

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
    CommandLine.Check(args);
    var isSample = args.Contains(CommandLine.Sample);
    string[] settings = [.. args.Where(argument => argument != CommandLine.Sample)];

    // The sample has its own port and its own queues, so that it also runs beside a receiver and takes none of its events.
    var builder = LocalHostApp.CreateBuilder(isSample ? ["--urls", AnyPort, .. SampleRun.Settings, .. settings] : settings);
    await using var app = LocalHostApp.Build(builder);
    await app.StartSafelyAsync(interrupted.Token);
    var webhook = new Uri(new Uri(app.Urls.First()), WebhookHandler.EventsPath);
    Console.WriteLine($"Webhook: {webhook} (POST or GET); stop with Ctrl+C");
    if (isSample)
    {
        var exitCode = await ActivatorUtilities.CreateInstance<SampleRun>(app.Services, Console.Out).RunAsync(webhook, interrupted.Token);
        await app.StopAsync(CancellationToken.None);
        return exitCode;
    }

    if (app.Services.GetService<LivePageKey>() is { } key)
    {
        Console.WriteLine($"Watch it live: {key.AddressOn(webhook)}");
    }

    await app.WaitForShutdownAsync(interrupted.Token);
    return 0;
}
catch (StartupException e)
{
    await Console.Error.WriteLineAsync(e.Message);
}
catch (StorageException e)
{
    await Console.Error.WriteLineAsync(e.Message);
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, e.Failures));
}
catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is OptionsValidationException))
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, e.InnerExceptions.Cast<OptionsValidationException>().SelectMany(inner => inner.Failures)));
}
catch (InvalidOperationException e) when (e.InnerException is FormatException or OverflowException or ArgumentException)
{
    // The configuration binder: it names the setting and the type that it wants.
    await Console.Error.WriteLineAsync(e.Message);
}
catch (System.Net.Sockets.SocketException e)
{
    await Console.Error.WriteLineAsync($"{e.Message}: this machine cannot listen there. Choose another address: --urls {LocalHostApp.DefaultUrl}");
}
catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
{
    await Console.Error.WriteLineAsync($"{e.Message} Stop the program that uses it, or choose another address: --urls http://127.0.0.1:7072");
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Interrupted.");
}

return 1;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    interrupted.Cancel();
}
