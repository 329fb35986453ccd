using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi forward</c>: what became of the events that are forwarded, and the destinations.</summary>
internal static class ForwardCommands
{
    private const string SecretSetting = "TeleCmiForwardSecret";

    public static Command Create(CommandRunner runner) => new("forward", "What became of forwarded events; send them again; try a destination.")
    {
        DeliveryCommands.List(runner),
        DeliveryCommands.Show(runner),
        DeliveryCommands.Resend(runner),
        DeliveryCommands.Resume(runner),
        Test(runner),
    };

    private static Command Test(CommandRunner runner)
    {
        var url = CommonOptions.Text("--url", "The receiver's address.");
        var name = CommonOptions.Text("--name", "Instead of an address: the name of a destination in the settings, with its secrets.");
        var secret = CommonOptions.Text(
            "--secret",
            $"The secret (whsec_…) for --url; without it, the setting {SecretSetting} counts, which keeps it out of the list of processes, and without both a new one is made.");
        var networks = CommonOptions.Text(
            "--allow-network",
            "A network that may be sent to although it is not public, such as 10.20.0.0/16 or loopback, beside those in the settings.");
        var allowHttp = new Option<bool>("--allow-http") { Description = "Let the address begin with http although it is not on this machine." };
        var json = CommonOptions.Json();
        var command = new Command("test", "Sends a signed sample, just as a real event would go, and explains the response; exit code 1 unless the receiver accepted it.")
        {
            url, name, secret, networks, allowHttp, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(url) is null == result.GetResult(name) is null)
            {
                result.AddError("Say where to: --url or --name.");
            }
        });
        runner.On(command, async (parsed, terminal, cancellation) =>
        {
            await using var services = Services(runner.Host, parsed.GetValue(networks), parsed.GetValue(secret));
            var destination = parsed.GetValue(name) is { } known
                ? Named(services, known)
                : Addressed(services, terminal, new ForwardDestinationOptions
                {
                    Setting = "",
                    Url = parsed.GetRequiredValue(url),
                    Secrets = services.GetRequiredService<IConfiguration>().ReadList(SecretSetting),
                    AllowHttp = parsed.GetValue(allowHttp),
                });
            var result = await services.GetRequiredService<ForwardTest>().RunAsync(destination, cancellation);
            Report(terminal, result, parsed.GetValue(json));
            return result.Result.Outcome is DeliveryOutcome.Delivered ? ExitCodes.Fine : ExitCodes.Failed;
        });
        return command;
    }

    private static ServiceProvider Services(CliHost host, string? networks, string? secret)
    {
        var allowed = $"{ForwardOptions.SectionName}:{nameof(ForwardOptions.AllowedNetworks)}";
        return Connection.ServicesOn(host, [new(allowed, networks is null ? null : $"{host.Settings[allowed]},{networks}"), new(SecretSetting, secret)])
            .AddForwardTest()
            .BuildServiceProvider();
    }

    private static ForwardDestination Named(ServiceProvider services, string name)
    {
        var known = Connection.Checked(() => services.GetRequiredService<ForwardDestinations>());
        return known.Find(name) ?? throw new CliException(
            known.All.Count == 0
                ? "The settings name no destination: set TeleCmi__Forward__0__Url and so on, or use --url."
                : $"No destination is called '{name}'; there are: {string.Join(", ", known.All.Select(destination => destination.Name))}.",
            ExitCodes.Usage);
    }

    private static ForwardDestination Addressed(ServiceProvider services, Terminal terminal, ForwardDestinationOptions options)
    {
        if (options.Secrets.Count == 0)
        {
            options.Secrets = [WebhookSecret.Generate()];
            terminal.Note($"Signed with a new secret: {options.Secrets[0]}");
        }

        var faults = new List<string>();
        return Connection.Checked(() => services.GetRequiredService<ForwardTest>()).TryAddress(options, faults, out var destination)
            ? destination
            : throw new CliException(string.Join(Environment.NewLine, faults), ExitCodes.Usage);
    }

    private static void Report(Terminal terminal, ForwardTestResult test, bool json)
    {
        var (result, milliseconds) = (test.Result, Math.Round(test.Result.Elapsed.TotalMilliseconds));
        if (json)
        {
            terminal.Json(
                new ForwardTestDocument(test.EventId, result.Outcome is DeliveryOutcome.Delivered, result.Status, milliseconds, test.Explanation, result.ResponseBody),
                CliJson.Default.ForwardTestDocument);
            return;
        }

        terminal.Line($"event id  {test.EventId}");
        terminal.Line($"response  {(result.Status is { } status ? $"{status}" : "none")}, after {milliseconds} ms");
        if (result.ResponseBody is { } body)
        {
            terminal.Line($"body      {body}");
        }

        terminal.Line(test.Explanation);
    }
}
