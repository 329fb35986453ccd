using System.CommandLine;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TeleCmi.Cli.Output;
using TeleCmi.Pipeline.Forwarding;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi forward</c>: try the places that answered calls are handed on to.</summary>
internal static class ForwardCommands
{
    private const string SecretSetting = "TeleCmiForwardSecret";

    public static Command Create(CommandRunner runner) => new("forward", "Tries the places that answered calls are handed on to.")
    {
        Test(runner),
    };

    private static Command Test(CommandRunner runner)
    {
        var url = new Option<string?>("--url") { Description = "The receiver's address." };
        var name = new Option<string?>("--name") { Description = "Instead of an address: the name of a destination in the settings, with its secrets." };
        var secret = new Option<string?>("--secret")
        {
            Description = $"The secret (whsec_…) for --url; without it, the setting {SecretSetting} counts, which keeps it out of the list of processes, and without both a new one is made.",
        };
        var networks = new Option<string?>("--allow-network")
        {
            Description = "A network that may be called although it is not public, such as 10.20.0.0/16 or loopback, beside those in the settings.",
        };
        var allowHttp = new Option<bool>("--allow-http") { Description = "Let the address begin with http although it is not on this machine." };
        var json = CommonOptions.Json();
        var command = new Command("test", "Sends a signed sample, just as a real event would go, and explains the answer; exit code 1 unless the receiver took it.")
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
            await using var services = Services(runner.Host, parsed.GetValue(networks));
            var destination = parsed.GetValue(name) is { } known
                ? Named(services, known)
                : Addressed(services, terminal, new ForwardDestinationOptions
                {
                    Setting = "",
                    Url = parsed.GetValue(url)!,
                    Secrets = parsed.GetValue(secret) ?? runner.Host.Settings[SecretSetting] ?? "",
                    AllowHttp = parsed.GetValue(allowHttp),
                });
            var result = await services.GetRequiredService<ForwardTrial>().RunAsync(destination, cancellation);
            await ReportAsync(terminal, result, parsed.GetValue(json));
            return result.Attempt.Verdict is ForwardVerdict.Delivered ? ExitCodes.Fine : ExitCodes.Failed;
        });
        return command;
    }

    private static ServiceProvider Services(CliHost host, string? networks)
    {
        var allowed = $"{ForwardOptions.SectionName}:{nameof(ForwardOptions.AllowedNetworks)}";
        var settings = new ConfigurationBuilder().AddConfiguration(host.Settings);
        if (networks is not null)
        {
            settings.AddInMemoryCollection([new(allowed, $"{host.Settings[allowed]},{networks}")]);
        }

        return new ServiceCollection()
            .AddSingleton<IConfiguration>(settings.Build())
            .AddSingleton(host.Clock)
            .AddLogging()
            .AddForwardTrial()
            .BuildServiceProvider();
    }

    private static ForwardDestination Named(ServiceProvider services, string name)
    {
        var known = Checked(() => services.GetRequiredService<ForwardDestinations>());
        return known.Find(name) ?? throw new CliException(
            known.All.Count == 0
                ? "The settings name no destination: set TeleCmi__Forward__0__Url and so on, or use --url."
                : $"No destination is called '{name}'; there are: {string.Join(", ", known.All.Select(destination => destination.Name))}.",
            ExitCodes.Usage);
    }

    private static ForwardDestination Addressed(ServiceProvider services, Terminal terminal, ForwardDestinationOptions options)
    {
        if (options.Secrets.Length == 0)
        {
            options.Secrets = WebhookSecret.Generate();
            terminal.Note($"Signed with a new secret: {options.Secrets}");
        }

        var faults = new List<string>();
        return Checked(() => services.GetRequiredService<ForwardTrial>()).TryAddress(options, faults, out var destination)
            ? destination
            : throw new CliException(string.Join(Environment.NewLine, faults), ExitCodes.Usage);
    }

    private static T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (OptionsValidationException e)
        {
            throw new CliException(string.Join(Environment.NewLine, e.Failures), ExitCodes.Usage);
        }
    }

    private static async Task ReportAsync(Terminal terminal, ForwardTrialResult result, bool json)
    {
        var attempt = result.Attempt;
        if (json)
        {
            await terminal.JsonAsync(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("eventId", result.EventId);
                writer.WriteBoolean("delivered", attempt.Verdict is ForwardVerdict.Delivered);
                if (attempt.Status is { } status)
                {
                    writer.WriteNumber("status", status);
                }

                writer.WriteNumber("milliseconds", Math.Round(attempt.Elapsed.TotalMilliseconds));
                writer.WriteString("explanation", result.Explanation);
                writer.WriteString("answer", attempt.Answer);
                writer.WriteEndObject();
            });
            return;
        }

        terminal.Line($"event id  {result.EventId}");
        terminal.Line($"answer    {(attempt.Status is { } code ? $"{code}" : "none")}, after {attempt.Elapsed.TotalMilliseconds:F0} ms");
        if (attempt.Answer is { } answer)
        {
            terminal.Line($"body      {answer}");
        }

        terminal.Line(result.Explanation);
    }
}
