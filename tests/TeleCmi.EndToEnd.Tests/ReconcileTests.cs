using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using TeleCmi.Cli;
using TeleCmi.Events;
using TeleCmi.TestSupport;

namespace TeleCmi.EndToEnd.Tests;

/// <summary>
/// Notices are lost on the way, and while the receiver is dead; TeleCMI's reports know every call. <c>TELECMI_RECONCILE_CALLS=2000</c> makes it large
/// (docs/reconcile.md).
/// </summary>
public sealed class ReconcileTests(ITestOutputHelper output) : IDisposable
{
    private const int Senders = 8;
    private const int PercentLost = 5;
    private const int Seed = 17;

    private static readonly int Calls = int.Parse(Environment.GetEnvironmentVariable("TELECMI_RECONCILE_CALLS") ?? "80", CultureInfo.InvariantCulture);

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly Random _random = new(Seed);

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task WhatWasLost_ComesBackFromTheReports_EveryCallOnce_NoEffectTwice()
    {
        await using var reports = await ReportServer.StartAsync();
        using var judge = StorageUnderTest.Open(_folder.Store);
        var effects = new EffectFile(_folder);
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--data", _folder.Path, "--TeleCmi:AcceptedEvents=*", effects.Setting];
        var calls = Compose(reports);
        var lost = 0;

        // Half of the calls, then the receiver dies with nothing in flight; what is sent to the dead is lost; then the rest.
        await using (var host = HostProcess.FaultHost(arguments))
        {
            var webhook = await host.Address;
            lost += await SendAsync(webhook, calls.Where((call, place) => call.Fate is not Fate.SentToTheDead && place < Calls / 2));
            await SettledAsync(judge);
            await host.KillAsync();
            lost += await SendAsync(webhook, calls.Where(call => call.Fate is Fate.SentToTheDead));
        }

        await using var next = HostProcess.FaultHost(arguments);
        lost += await SendAsync(await next.Address, calls.Where((call, place) => call.Fate is not Fate.SentToTheDead && place >= Calls / 2));
        await SettledAsync(judge);

        var found = await ReconcileAsync(judge, reports, exitCode: 3);
        output.WriteLine($"{Calls} calls, {calls.Sum(call => call.Scenario.Events.Count)} notices, {lost} of them lost; reconcile: {found.GetProperty("counts")}");
        lost.ShouldBe(calls.Sum(call => call.LostNotices.Count));
        calls.Count(call => call.LostNotices.Count > 0).ShouldBe(Calls * PercentLost / 100);
        found.GetProperty("counts").GetProperty("missing").GetInt32().ShouldBe(calls.Count(call => call.IsLost));

        var backfilled = await ReconcileAsync(judge, reports, exitCode: 0, "--backfill", "--yes");
        backfilled.GetProperty("queued").GetInt32().ShouldBe(found.GetProperty("missing").GetInt32());
        await SettledAsync(judge);

        var at = await ReconcileAsync(judge, reports, exitCode: 0);
        output.WriteLine($"After the backfill: {at.GetProperty("counts")}");
        at.GetProperty("counts").EnumerateObject().Select(count => (count.Name, count.Value.GetInt32())).ShouldBe([("matched", Calls)]);
        await CheckAsync();

        // What was lost comes after all.
        foreach (var late in calls.Where(call => call.IsLost && call.ReportsTheCustomersLeg).Take(20))
        {
            foreach (var notice in late.Scenario.Events)
            {
                (await PostAsync(await next.Address, notice)).ShouldBeTrue();
            }
        }

        await SettledAsync(judge);
        await CheckAsync();

        async Task CheckAsync()
        {
            var listed = (await RunAsync(judge, reports, 0, ["calls", "list", .. Days, "--limit", "100000", "--json"])).EnumerateArray()
                .SelectMany(call => call.GetProperty("events").EnumerateArray().Select(notice => notice.GetProperty("id").GetString()!.Split(':')[2]).Distinct()
                    .Select(leg => (Leg: leg, Call: call.GetProperty("id").GetString()!)))
                .ToLookup(part => part.Leg, part => part.Call, StringComparer.Ordinal);
            foreach (var call in calls)
            {
                listed[call.Scenario.Conversation].Concat(listed[call.Scenario.LegB]).Distinct(StringComparer.Ordinal).Count().ShouldBe(1, call.Scenario.Conversation);
            }

            listed.SelectMany(part => part).Distinct(StringComparer.Ordinal).Count().ShouldBe(Calls);
            effects.Done.ShouldBeUnique();
            effects.Done.ShouldBe((await judge.FinishedAsync()).Distinct(StringComparer.Ordinal), ignoreOrder: true);
        }
    }

    // Of exactly five calls in a hundred notices are lost: of half of them all, because the receiver is dead or on the way, of the others some.
    private List<Call> Compose(ReportServer reports)
    {
        Fate[] fates = [Fate.SentToTheDead, Fate.PartlyLost, Fate.Lost, Fate.PartlyLost];
        var places = Enumerable.Range(0, Calls).ToArray();
        _random.Shuffle(places);
        var fateOf = places.Take(Calls * PercentLost / 100).Select((place, number) => (place, Fate: fates[number % fates.Length])).ToDictionary(fated => fated.place, fated => fated.Fate);
        var composed = new List<Call>();
        for (var i = 0; i < Calls; i++)
        {
            var start = TimeProvider.System.GetUtcNow();
            var scenario = new CallScenario(start) { CustomerNumber = string.Create(CultureInfo.InvariantCulture, $"4420{_random.Next(10_000_000, 99_999_999)}"), AgentName = $"{_random.Next(200, 220)}_2222223" };
            var customersLeg = _random.Next(2) == 0;
            var id = customersLeg ? scenario.LegB : scenario.Conversation;
            switch (_random.Next(10))
            {
                case < 5:
                    scenario.Reached();
                    reports.Add("out_answered", start, id, scenario.AgentName, to: scenario.CustomerNumber);
                    break;
                case 5:
                    scenario.Outgoing("started", "a").Outgoing("answered", "a").Outgoing("started", "b").Outgoing("hangup", "b").Outgoing("hangup", "a").OutgoingCdr("missed", "b").OutgoingCdr("answered", "a");
                    reports.Add("out_missed", start, id, scenario.AgentName, to: scenario.CustomerNumber, seconds: null);
                    break;
                case 6:
                    scenario.Outgoing("started", "a").Outgoing("hangup", "a").OutgoingCdr("missed", "a");
                    reports.Add("out_missed", start, scenario.Conversation, scenario.AgentName, to: scenario.CustomerNumber, seconds: null);
                    customersLeg = false;
                    break;
                case 7 or 8:
                    scenario.Incoming("waiting").IncomingAgent("started").IncomingAgent("answered").IncomingAgent("hangup").Incoming("hangup").IncomingCdr("answered", more: ("from", scenario.CustomerNumber));
                    reports.Add("answered", start, id, scenario.AgentName, scenario.CustomerNumber, "440000000000", seconds: 11);
                    break;
                default:
                    scenario.Incoming("waiting").Incoming("hangup").IncomingCdr("missed", more: ("from", scenario.CustomerNumber));
                    reports.Add("missed", start, id, agent: null, scenario.CustomerNumber, "440000000000", seconds: null);
                    break;
            }

            var notices = scenario.Events.ToArray();
            _random.Shuffle(notices);
            var fate = fateOf.GetValueOrDefault(i);
            composed.Add(new Call(scenario, customersLeg, fate, fate switch
            {
                Fate.Arrives => new HashSet<CallEvent>(),
                Fate.PartlyLost => notices.Take(_random.Next(1, notices.Length)).ToHashSet(),
                _ => notices.ToHashSet(),
            }));
        }

        return composed;
    }

    private async Task<int> SendAsync(Uri webhook, IEnumerable<Call> calls)
    {
        var lost = 0;
        var queue = new System.Collections.Concurrent.ConcurrentQueue<Call>(calls);
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => Task.Run(async () =>
        {
            while (queue.TryDequeue(out var next))
            {
                foreach (var notice in next.Scenario.Events)
                {
                    var isOnTheWay = next.Fate is Fate.SentToTheDead || !next.LostNotices.Contains(notice);
                    if (!isOnTheWay || !await PostAsync(webhook, notice))
                    {
                        Interlocked.Increment(ref lost);
                    }
                }
            }
        })));
        return lost;
    }

    private async Task<bool> PostAsync(Uri webhook, CallEvent notice)
    {
        try
        {
            using var body = new ReadOnlyMemoryContent(notice.Notice.Json);
            using var response = await _client.PostAsync(webhook, body);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static Task SettledAsync(StorageUnderTest judge) => Eventually.HoldsAsync(async () => await judge.QueuedAsync() == 0, TimeSpan.FromSeconds(120));

    // Also around midnight.
    private static string[] Days => ["--from", Day(hours: -1), "--to", Day(hours: 2)];

    private static string Day(int hours) => TimeProvider.System.GetUtcNow().AddHours(hours).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static async Task<JsonElement> ReconcileAsync(StorageUnderTest judge, ReportServer reports, int exitCode, params string[] more) =>
        await RunAsync(judge, reports, exitCode, ["reconcile", .. Days, "--json", .. more]);

    // Two hours later, when all calls are settled; the store keeps its own time.
    private static async Task<JsonElement> RunAsync(StorageUnderTest judge, ReportServer reports, int exitCode, string[] arguments)
    {
        await using var answer = new StringWriter();
        await using var error = new StringWriter();
        var code = await CliApp.RunAsync(
            arguments,
            new CliHost
            {
                Out = answer,
                Error = error,
                In = TextReader.Null,
                Settings = new ConfigurationBuilder().AddInMemoryCollection(reports.Settings.Select(setting => KeyValuePair.Create<string, string?>(setting.Name, setting.Value))).Build(),
                Store = judge.Store,
                Clock = new LaterClock(TimeSpan.FromHours(2)),
            },
            CancellationToken.None);
        code.ShouldBe(exitCode, $"{error}{answer}");
        return JsonDocument.Parse(answer.ToString()).RootElement;
    }

    private enum Fate
    {
        Arrives,
        PartlyLost,
        Lost,
        SentToTheDead,
    }

    private sealed record Call(CallScenario Scenario, bool ReportsTheCustomersLeg, Fate Fate, IReadOnlySet<CallEvent> LostNotices)
    {
        /// <summary>Whether nothing of it arrived.</summary>
        public bool IsLost => Fate is Fate.Lost or Fate.SentToTheDead;
    }
}
