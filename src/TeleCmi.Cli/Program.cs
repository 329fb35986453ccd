using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Configuration;
using TeleCmi.Cli;

using var interrupted = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
Console.OutputEncoding = Encoding.UTF8;

return await CliApp.RunAsync(
    args,
    new CliHost
    {
        Out = Console.Out,
        Error = Console.Error,
        In = Console.In,
        Settings = new ConfigurationBuilder().AddEnvironmentVariables().Build(),
        IsInteractive = !Console.IsInputRedirected && !Console.IsOutputRedirected && !Console.IsErrorRedirected,
        OutIsTerminal = !Console.IsOutputRedirected,
    },
    interrupted.Token);

// The first one lets the step in hand finish; a second one ends the process.
void Stop(PosixSignalContext context)
{
    context.Cancel = !interrupted.IsCancellationRequested;
    interrupted.Cancel();
}
