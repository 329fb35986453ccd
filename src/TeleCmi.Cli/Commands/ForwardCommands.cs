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

    public static Command Create(CommandRunner runner) => new("forward", "Shows what became of forwarded events; sends them again; tries a destination.")
    {
        DeliveryCommands.List(runner),
        DeliveryCommands.Show(runner),
        DeliveryCommands.Resend(runner),
        DeliveryCommands.Resume(runner),
        BackfillCommand.Create(runner),
        Test(runner),
    };

    private static Command Test(CommandRunner runner)
    {
        var url = CommonOptions.Text("--url", "The receiver's address.");
        var name = CommonOptions.Text("--name", "Instead of an address: the name of a destination in the settings, with its secrets.");
        var secret = CommonOptions.Text(
            "--secret",
            $"The secret (whsec_…) for --url; without it, the setting {SecretSetting} counts, which keeps it out of the list of processes, and without both a new one is made.");
        var networks = CommonOptions.Parsed<IReadOnlyList<string>?>(
            "--allow-network",
            "Networks that may be sent to although they are not public, such as 10.20.0.0/16, beside those in the settings. This machine needs none.",
            NetworksOf);
        var allowHttp = new Option<bool>("--allow-http") { Description = "Let the address begin with http although it is not on this machine." };
        var eventId = CommonOptions.Text(
            "--event", "Sends nothing: tells for each destination of the settings, or the named one, whether this event of the journal would be sent, and why. Address and secrets are not needed.");
        var json = CommonOptions.Json();
        var command = new Command("test", "Sends a signed sample, just as a real event or call would go, and explains the response; exit code 1 unless the receiver accepted it. With --event, explains the filters.")
        {
            url, name, secret, networks, allowHttp, eventId, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(eventId) is not null && (result.GetResult(url) ?? result.GetResult(secret) ?? result.GetResult(networks) ?? result.GetResult(allowHttp)) is not null)
            {
                result.AddError("With --event nothing is sent: write only --name beside it, or nothing.");
            }
            else if (result.GetResult(eventId) is null && result.GetResult(url) is null == result.GetResult(name) is null)
            {
                result.AddError("Say where to: --url or --name.");
            }
        });
        var options = new Dictionary<string, Option>(StringComparer.Ordinal)
        {
            [nameof(ForwardDestinationOptions.Url)] = url,
            [nameof(ForwardDestinationOptions.Secrets)] = secret,
            [nameof(ForwardDestinationOptions.AllowHttp)] = allowHttp,
            [nameof(ForwardOptions.AllowedNetworks)] = networks,
        };
        runner.On(command, async (parsed, terminal, cancellation) =>
        {
            if (parsed.GetValue(eventId) is { } wanted)
            {
                await using var connection = await Connection.OpenAsync(runner.Host, parsed.GetValue(runner.Storage), withReceiver: false, withReports: false);
                return await JudgeAsync(terminal, connection, wanted, parsed.GetValue(name), parsed.GetValue(json), cancellation);
            }

            await using var services = Services(runner.Host, parsed.GetValue(networks), parsed.GetValue(secret));
            var destination = parsed.GetValue(name) is { } known
                ? Named(services, known)
                : Addressed(services, terminal, new ForwardDestinationOptions
                {
                    NameOf = (setting, _) => options.TryGetValue(setting, out var option) ? option.Name : setting,
                    Name = "test",
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

    private static async Task<int> JudgeAsync(Terminal terminal, Connection connection, string eventId, string? name, bool json, CancellationToken cancellation)
    {
        var filters = connection.DestinationFilters;
        var chosen = filters.All.Where(filter => name is null || filter.Destination.Equals(name, StringComparison.OrdinalIgnoreCase)).ToList();
        if (chosen.Count == 0)
        {
            throw new CliException(NoDestination(name, [.. filters.All.Select(filter => filter.Destination)], "set TeleCmi__Forward__0__Name and its filters as the receiver has them."), ExitCodes.Usage);
        }

        if (await connection.ForwardCheck.JudgeAsync(eventId, chosen, cancellation) is not { } verdicts)
        {
            throw new CliException($"The journal has no event '{eventId}'; telecmi journal list shows the ids.", ExitCodes.Failed);
        }

        if (json)
        {
            terminal.Json(verdicts.Select(ForwardVerdictDocument.Of), CliJson.Default.IEnumerableForwardVerdictDocument);
            return ExitCodes.Fine;
        }

        foreach (var verdict in verdicts)
        {
            terminal.Line($"{verdict.Destination}  {(verdict.WouldBeSent ? "would be sent" : "would not be sent")}{(verdict.SendsCalls ? $", as the call {verdict.Id}" : "")}");
            terminal.Indented(verdict.Why);
            terminal.Indented(verdict.Delivery switch
            {
                { State: DeliveryState.Delivered } delivery => $"It was delivered: {Times.Of(delivery.NotedAt)}.",
                { State: DeliveryState.Waiting, NextAttemptAt: { } next } => $"It waits for an attempt, due {Times.Of(next)}.",
                { State: DeliveryState.Waiting } => "It waits for an attempt.",
                { State: DeliveryState.Failed, EventId: var id } delivery => $"It failed: {delivery.Fault} To send it again: telecmi forward resend --id {id}",
                _ when verdict.WouldBeSent => $"Nothing of it was sent there: telecmi forward backfill --name {verdict.Destination} does that.",
                _ => "Nothing of it was sent there.",
            });
        }

        return ExitCodes.Fine;
    }

    private static string NoDestination(string? name, IReadOnlyList<string> known, string instead) => known.Count == 0
        ? $"The settings name no destination: {instead}"
        : $"No destination is called '{name}'; there are: {string.Join(", ", known)}.";

    private static ServiceProvider Services(CliHost host, IReadOnlyList<string>? networks, string? secret) =>
        Connection.ServicesOn(host, [new(SecretSetting, secret)])
            .AddForwardTest()
            .Configure<ForwardOptions>(forward => forward.AllowedNetworks = [.. forward.AllowedNetworks, .. networks ?? []])
            .BuildServiceProvider();

    private static string[] NetworksOf(string text)
    {
        var networks = CommonOptions.NotEmpty(text).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return AddressPolicy.TryParse(networks, out _, out var fault) ? networks : throw new FormatException(fault);
    }

    private static ForwardDestination Named(ServiceProvider services, string name)
    {
        var known = Connection.Checked(() => services.GetRequiredService<ForwardDestinations>());
        return known.Find(name)
            ?? throw new CliException(NoDestination(name, [.. known.All.Select(destination => destination.Name)], "set TeleCmi__Forward__0__Url and so on, or use --url."), ExitCodes.Usage);
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
