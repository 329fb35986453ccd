using System.Diagnostics;

namespace TeleCmi.Benchmarks;

/// <summary>
/// Catches a gross regression in seconds: ratios to a bare JsonDocument.Parse, taken turn by turn in one process, so that
/// the machine's own speed and its other work cancel out.
/// </summary>
internal static class QuickCheck
{
    // The bar is 1.5 and 2 KiB (measured by the benchmarks themselves); this loop only asks whether it is missed by far.
    private const double WorstRatio = 2.5;
    private const long MostBytes = 2048;

    private const int Rounds = 400;
    private const int CallsPerRound = 500;

    public static int Run()
    {
        var work = new Work();
        (string Name, int Yardstick, Func<int> Call)[] contestants =
        [
            ("JsonDocument.Parse", 0, () => Work.ParseDocument(Work.DocumentedBody)),
            ("receive the documented sample", 0, () => work.Receive(Work.DocumentedBody)),
            ("receive it by GET", 0, () => work.ReceiveQuery(Work.DocumentedQuery)),
            ("JsonSerializer round trip", 0, () => Work.RoundTripByReflection(Work.DocumentedBody)),
            ("Newtonsoft.Json round trip", 0, () => Work.RoundTripByNewtonsoft(Work.DocumentedBody)),
            ("JsonDocument.Parse, 16 KiB", 5, () => Work.ParseDocument(Work.LargestAcceptedBody)),
            ("receive 16 KiB", 5, () => work.Receive(Work.LargestAcceptedBody)),
            ("JsonDocument.Parse, envelope", 7, () => Work.ParseDocument(Work.DocumentedEnvelope)),
            ("read the envelope", 7, () => Work.ReadEnvelope(Work.DocumentedEnvelope).Id.Length),
            ("read the envelope, hash", 7, () => Work.ReadEnvelope(Work.DocumentedEnvelope).Notice.ContentHash.Length),
        ];

        // The first rounds also let the runtime compile the code for good.
        var best = new TimeSpan[contestants.Length];
        Array.Fill(best, TimeSpan.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < contestants.Length; i++)
            {
                var took = TimeOf(contestants[i].Call);
                best[i] = took < best[i] ? took : best[i];
            }
        }

        Console.WriteLine($"{"",-32}{"ns",8}{"ratio",8}{"bytes",8}");
        for (var i = 0; i < contestants.Length; i++)
        {
            Console.WriteLine(string.Create(
                System.Globalization.CultureInfo.InvariantCulture,
                $"{contestants[i].Name,-32}{best[i].TotalNanoseconds / CallsPerRound,8:F0}{best[i] / best[contestants[i].Yardstick],8:F2}{BytesOf(contestants[i].Call),8}"));
        }

        var ratio = best[1] / best[0];
        var bytes = BytesOf(contestants[1].Call);
        if (ratio <= WorstRatio && bytes <= MostBytes)
        {
            return 0;
        }

        Console.Error.WriteLine(string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"Receiving costs {ratio:F2} x JsonDocument.Parse and {bytes} bytes; at most {WorstRatio} x and {MostBytes} bytes are allowed here."));
        return 1;
    }

    private static TimeSpan TimeOf(Func<int> call)
    {
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < CallsPerRound; i++)
        {
            call();
        }

        return Stopwatch.GetElapsedTime(started);
    }

    private static long BytesOf(Func<int> call)
    {
        const int Calls = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++)
        {
            call();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
    }
}
