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
        var url = CommonOptions.ParsedArgument<string?>(
            "url",
            $"The webhook's address, with its secret if it needs one. Without it the setting {UrlSetting} is used, which keeps the secret out of the list of processes.",
            CommonOptions.NotEmpty);
        url.Arity = ArgumentArity.ZeroOrOne;
        var notices = new Option<string[]>("--notice")
        {
            Description = "Send this documented notice (see --list); several make a call, sent in this order.",
            AllowMultipleArgumentsPerToken = true,
        };
        var kind = CommonOptions.Kind("Send every documented notice of this kind.");
        var list = new Option<bool>("--list") { Description = "List the documented notices instead of sending." };
        var method = CommonOptions.OneOf("--method", "post (unless given): JSON body; get: fields in the query; form: fields in the body.", ["post", "get", "form"]);
        var count = CommonOptions.Parsed<int?>("--count", "How many to send; without it, each chosen notice once.", text => CommonOptions.NumberOf(text, 1, 10_000_000));
        var rate = CommonOptions.Parsed<double?>("--rate", "How many a second; without it, as fast as the responses come.", text => CommonOptions.NumberOf(text, 0.001, 100_000));
        var concurrency = CommonOptions.Number("--concurrency", "How many at once.", 1, 256, 8);
        var timeout = CommonOptions.Number("--timeout", "How many seconds to wait for a response.", 1, 600, 30);
        var verbatim = new Option<bool>("--verbatim") { Description = "Send the samples as documented, with their old ids and times: a receiver sees duplicates." };
        var json = CommonOptions.Json();
        var command = new Command("send", "Plays TeleCMI against a receiver, and reports responses and latency; exit code 1 unless every notice was acknowledged.")
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
                List(terminal, catalogue, parsed.GetValue(json));
                return ExitCodes.Fine;
            }

            var target = TargetOf(parsed.GetValue(url) ?? runner.Host.Settings[UrlSetting]);
            var chosen = Choose(catalogue, parsed.GetValue(notices), parsed.GetValue(kind));
            var generator = new NoticeGenerator(chosen, parsed.GetValue(verbatim), runner.Host.Clock);
            var width = parsed.GetValue(concurrency);
            using var sender = new NoticeSender(target, Enum.Parse<SendMethod>(parsed.GetValue(method) ?? "post", ignoreCase: true), TimeSpan.FromSeconds(parsed.GetValue(timeout)), width, runner.Host.Clock);
            var report = new SendReport();
            var plan = new Plan(parsed.GetValue(count) ?? chosen.Count, parsed.GetValue(rate), width);
            try
            {
                await terminal.ProgressAsync("Sending", plan.Count, async step =>
                {
                    await SendAllAsync(generator, sender, plan, report, step, runner.Host.Clock, cancellation);
                    return true;
                });
            }
            finally
            {
                // Also when it is interrupted: what was sent stays sent.
                Report(terminal, report, plan, target, parsed.GetValue(json));
            }

            return report.Acknowledged == plan.Count ? ExitCodes.Fine : ExitCodes.Failed;
        });
        return command;
    }

    private static async Task SendAllAsync(
        NoticeGenerator generator, NoticeSender sender, Plan plan, SendReport report, Action step, TimeProvider clock, CancellationToken cancellation)
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

                    report.Add(await sender.SendAsync(generator.NoticeOf(number), stop));
                    step();
                });
        }
        finally
        {
            report.Elapsed = clock.GetElapsedTime(started);
        }
    }

    private static void Report(Terminal terminal, SendReport report, Plan plan, Uri target, bool json)
    {
        var url = WithoutSecrets(target);
        var latencies = report.Latencies();
        if (json)
        {
            terminal.Json(
                new SendDocument(url, plan.Count, report.Sent, report.Acknowledged, Math.Round(report.Elapsed.TotalSeconds, 3), report.Responses, latencies),
                CliJson.Default.SendDocument);
            return;
        }

        terminal.Line(url);
        terminal.Line(string.Create(CultureInfo.InvariantCulture, $"sent          {report.Sent} of {plan.Count} in {report.Elapsed.TotalSeconds:F1} s ({report.PerSecond:F0}/s)"));
        terminal.Line($"responses     {string.Join(", ", report.Responses.Select(response => $"{response.Value} x {response.Key}"))}");
        terminal.Line($"latency in ms {string.Join(", ", latencies.Select(latency => string.Create(CultureInfo.InvariantCulture, $"{latency.Key} {latency.Value:F1}")))}");
    }

    private static void List(Terminal terminal, IReadOnlyList<DocumentedNotice> catalogue, bool json)
    {
        if (json)
        {
            terminal.Json(catalogue.Select(notice => new NoticeDocument(notice.Name, KindOf(notice), notice.Source)), CliJson.Default.IEnumerableNoticeDocument);
            return;
        }

        terminal.Table(["Notice", "Kind"], catalogue.Select(notice => new[] { notice.Name, KindOf(notice) }));
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
