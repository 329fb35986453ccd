using System.CommandLine;
using System.Globalization;
using TeleCmi.Cli.Output;
using TeleCmi.Cli.Sending;
using TeleCmi.Events;
using TeleCmi.Events.Samples;

namespace TeleCmi.Cli.Commands;

/// <summary><c>telecmi send</c>: play TeleCMI against a receiver.</summary>
internal static class SendCommand
{
    private const string UrlSetting = "TeleCmiWebhookUrl";

    public static Command Create(CommandRunner runner)
    {
        var url = new Argument<string?>("url")
        {
            Description = $"The webhook's address, with its secret if it needs one; without it, the setting {UrlSetting} counts, which keeps the secret out of the list of processes.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var notices = new Option<string[]>("--notice")
        {
            Description = "Send this documented notice (see --list); several make a call, sent in this order.",
            AllowMultipleArgumentsPerToken = true,
        };
        var kind = CommonOptions.Kind();
        kind.Description = "Send every documented notice of this kind.";
        var list = new Option<bool>("--list") { Description = "List the documented notices instead of sending." };
        var method = new Option<SendMethod>("--method")
        {
            Description = "post: JSON body; get: fields in the query; form: fields in the body.",
            DefaultValueFactory = _ => SendMethod.Post,
        };
        var count = new Option<int>("--count") { Description = "How many to send.", DefaultValueFactory = _ => 1 }.Between(1, 10_000_000);
        var rate = new Option<double?>("--rate") { Description = "How many a second; without it, as fast as the answers come." };
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is not (null or (> 0 and <= 100_000)))
            {
                result.AddError("--rate: write a number above 0, at most 100000.");
            }
        });
        var concurrency = new Option<int>("--concurrency") { Description = "How many at once.", DefaultValueFactory = _ => 8 }.Between(1, 256);
        var timeout = new Option<int>("--timeout") { Description = "How many seconds to wait for an answer.", DefaultValueFactory = _ => 30 }.Between(1, 600);
        var verbatim = new Option<bool>("--verbatim") { Description = "Send the samples as documented, with their old ids and times: a receiver sees duplicates." };
        var json = CommonOptions.Json();
        var command = new Command("send", "Plays TeleCMI against a receiver, and reports answers and latency; exit code 1 unless every notice was acknowledged.")
        {
            url, notices, kind, list, method, count, rate, concurrency, timeout, verbatim, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(notices) is { Implicit: false } && result.GetResult(kind) is { Implicit: false })
            {
                result.AddError("Write --notice or --kind: not both.");
            }
        });
        runner.On(command, async (parsed, terminal, cancellation) =>
        {
            var catalogue = DocumentedNotices.Load();
            if (parsed.GetValue(list))
            {
                await ListAsync(terminal, catalogue, parsed.GetValue(json));
                return ExitCodes.Fine;
            }

            var target = TargetOf(parsed.GetValue(url) ?? runner.Host.Settings[UrlSetting]);
            var playbook = new Playbook(Choose(catalogue, parsed.GetValue(notices), parsed.GetValue(kind)), parsed.GetValue(verbatim), runner.Host.Clock);
            var width = parsed.GetValue(concurrency);
            using var sender = new Sender(target, parsed.GetValue(method), TimeSpan.FromSeconds(parsed.GetValue(timeout)), width, runner.Host.Clock);
            var performance = new Performance();
            var plan = new Plan(parsed.GetValue(count), parsed.GetValue(rate), width);
            try
            {
                await terminal.ProgressAsync("Sending", plan.Count, async step =>
                {
                    await SendAllAsync(playbook, sender, plan, performance, step, runner.Host.Clock, cancellation);
                    return true;
                });
            }
            finally
            {
                // Also when it is interrupted: what was sent was sent.
                await ReportAsync(terminal, performance, plan, target, parsed.GetValue(json));
            }

            return performance.Fine == plan.Count ? ExitCodes.Fine : ExitCodes.Failed;
        });
        return command;
    }

    private static async Task SendAllAsync(
        Playbook playbook, Sender sender, Plan plan, Performance performance, Action step, TimeProvider clock, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        try
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, plan.Count),
                new ParallelOptions { MaxDegreeOfParallelism = plan.Concurrency, CancellationToken = cancellation },
                async (number, stop) =>
                {
                    if (plan.DueAt(number) - clock.GetElapsedTime(started) is { Ticks: > 0 } wait)
                    {
                        await Task.Delay(wait, clock, stop);
                    }

                    performance.Add(await sender.SendAsync(playbook.NoticeOf(number), stop));
                    step();
                });
        }
        finally
        {
            performance.Elapsed = clock.GetElapsedTime(started);
        }
    }

    private static async Task ReportAsync(Terminal terminal, Performance performance, Plan plan, Uri target, bool json)
    {
        if (json)
        {
            await terminal.JsonAsync(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("url", WithoutSecrets(target));
                writer.WriteNumber("planned", plan.Count);
                writer.WriteNumber("sent", performance.Sent);
                writer.WriteNumber("acknowledged", performance.Fine);
                writer.WriteNumber("seconds", Math.Round(performance.Elapsed.TotalSeconds, 3));
                writer.WriteStartObject("answers");
                foreach (var (answer, number) in performance.Answers)
                {
                    writer.WriteNumber(answer, number);
                }

                writer.WriteEndObject();
                writer.WriteStartObject("latencyMilliseconds");
                foreach (var (name, milliseconds) in performance.Latencies())
                {
                    writer.WriteNumber(name, Math.Round(milliseconds, 2));
                }

                writer.WriteEndObject();
                writer.WriteEndObject();
            });
            return;
        }

        terminal.Line($"{WithoutSecrets(target)}");
        terminal.Line(string.Create(CultureInfo.InvariantCulture, $"sent          {performance.Sent} of {plan.Count} in {performance.Elapsed.TotalSeconds:F1} s ({performance.PerSecond:F0}/s)"));
        terminal.Line($"answers       {string.Join(", ", performance.Answers.Select(answer => $"{answer.Value} x {answer.Key}"))}");
        terminal.Line($"latency in ms {string.Join(", ", performance.Latencies().Select(latency => string.Create(CultureInfo.InvariantCulture, $"{latency.Name} {latency.Milliseconds:F1}")))}");
    }

    private static async Task ListAsync(Terminal terminal, IReadOnlyList<DocumentedNotice> catalogue, bool json)
    {
        if (json)
        {
            await terminal.JsonAsync(writer =>
            {
                writer.WriteStartArray();
                foreach (var notice in catalogue)
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", notice.Name);
                    writer.WriteString("kind", KindOf(notice));
                    writer.WriteString("source", notice.Source);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            });
            return;
        }

        terminal.Table(["Notice", "Kind", "Documented at"], catalogue.Select(notice => new[] { notice.Name, KindOf(notice), notice.Source }));
    }

    private static List<DocumentedNotice> Choose(IReadOnlyList<DocumentedNotice> catalogue, string[]? names, string? kind)
    {
        if (names is { Length: > 0 })
        {
            return [.. names.Select(name => catalogue.FirstOrDefault(notice => notice.Name == name)
                ?? throw new CliException($"There is no documented notice '{name}': see 'telecmi send --list'.", ExitCodes.Usage))];
        }

        if (kind is null)
        {
            return [DocumentedNotices.OutgoingAnswered];
        }

        return catalogue.Where(notice => KindOf(notice) == kind).ToList() is { Count: > 0 } chosen
            ? chosen
            : throw new CliException($"TeleCMI documents no notice of the kind {kind}.", ExitCodes.Usage);
    }

    private static string KindOf(DocumentedNotice sample) => Notice.TryRead(sample.Utf8, out var notice, out _) ? notice.Kind.Name() : "-";

    private static Uri TargetOf(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var target) && (target.Scheme == Uri.UriSchemeHttp || target.Scheme == Uri.UriSchemeHttps)
            ? target
            : throw new CliException($"Write the webhook's address, such as http://127.0.0.1:7071/api/telecmi/events, or set {UrlSetting}.", ExitCodes.Usage);

    // The query holds the function key, and the path may hold an access token.
    private static string WithoutSecrets(Uri url) =>
        url.GetLeftPart(UriPartial.Scheme) + url.Authority + string.Concat(url.Segments.Select(segment => segment.TrimEnd('/').Length >= 20 ? "***/" : segment));

    private sealed record Plan(int Count, double? Rate, int Concurrency)
    {
        public TimeSpan DueAt(int number) => Rate is { } perSecond ? TimeSpan.FromSeconds(number / perSecond) : TimeSpan.Zero;
    }
}
