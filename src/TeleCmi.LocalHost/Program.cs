using Microsoft.Extensions.Options;
using TeleCmi.LocalHost;
using TeleCmi.Pipeline.Storage;

const string SampleSwitch = "--sample";
const string AnyPort = "http://127.0.0.1:0";

var isSample = args.Contains(SampleSwitch);
args = [.. args.Where(argument => argument != SampleSwitch)];
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    interrupted.Cancel();
};

try
{
    // It takes as long as putting the web server together: side by side.
    var loaded = Task.Run(StorageClients.Load);

    // The sample has its own door, so that it also runs beside a receiver that is already up.
    var builder = LocalHostApp.CreateBuilder(isSample ? ["--urls", AnyPort, .. args] : args);
    await using var azurite = await DevelopmentStorage.EnsureAsync(builder.Configuration, Console.WriteLine, interrupted.Token);
    var looked = isSample ? Task.CompletedTask : Task.Run(() => FirstLook.RunAsync(builder.Configuration, Console.Error.WriteLine, interrupted.Token));
    await using var app = LocalHostApp.Build(builder);
    await app.StartAsync(interrupted.Token);
    await loaded;
    var webhook = new Uri(new Uri(app.Urls.First()), WebhookEndpoints.EventsPath);
    Console.WriteLine($"Webhook: {webhook} (POST or GET); stop with Ctrl+C");
    if (!isSample && app.Services.GetRequiredService<IOptions<LocalHostOptions>>().Value.LivePage)
    {
        Console.WriteLine($"Watch it live: {new Uri(webhook, "/")}");
    }

    var exitCode = 0;
    if (isSample)
    {
        exitCode = await new SampleRun(app.Services.GetRequiredService<StorageClients>(), TimeProvider.System, Console.Out)
            .RunAsync(webhook, interrupted.Token);
    }
    else
    {
        await app.WaitForShutdownAsync(interrupted.Token);
    }

    await app.StopAsync(CancellationToken.None);
    await looked;
    return exitCode;
}
catch (StartupException e)
{
    await Console.Error.WriteLineAsync(e.Message);
}
catch (OptionsValidationException e)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, e.Failures));
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
