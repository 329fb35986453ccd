using BenchmarkDotNet.Attributes;
using TeleCmi.Events;
using TeleCmi.Pipeline.Journaling;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Benchmarks;

/// <summary>Receiving the documented sample, against other ways to read the same bytes.</summary>
[MemoryDiagnoser]
[MinColumn]
[MedianColumn]
public class ReceiveBenchmarks
{
    private readonly Work _work = new();

    /// <summary>The yardstick: a bare parse, nothing read from it.</summary>
    [Benchmark(Baseline = true)]
    public int JsonDocumentParse() => Work.ParseDocument(Work.DocumentedBody);

    /// <summary>Read, classify, identify, wrap.</summary>
    [Benchmark]
    public int Receive() => _work.Receive(Work.DocumentedBody);

    /// <summary>The same event by GET.</summary>
    [Benchmark]
    public int ReceiveQuery() => _work.ReceiveQuery(Work.DocumentedQuery);

    /// <summary>System.Text.Json by reflection: into a class and out again.</summary>
    [Benchmark]
    public int JsonSerializerRoundTrip() => Work.RoundTripByReflection(Work.DocumentedBody);

    /// <summary>Newtonsoft.Json: into a class and out again.</summary>
    [Benchmark]
    public int NewtonsoftRoundTrip() => Work.RoundTripByNewtonsoft(Work.DocumentedBody);
}

/// <summary>Receiving the largest body that is accepted.</summary>
[MemoryDiagnoser]
[MinColumn]
[MedianColumn]
public class LargestBodyBenchmarks
{
    private readonly Work _work = new();

    /// <summary>The yardstick.</summary>
    [Benchmark(Baseline = true)]
    public int JsonDocumentParse() => Work.ParseDocument(Work.LargestAcceptedBody);

    /// <summary>Read, classify, identify, wrap.</summary>
    [Benchmark]
    public int Receive() => _work.Receive(Work.LargestAcceptedBody);
}

/// <summary>What processing does with a message before the journal.</summary>
[MemoryDiagnoser]
[MinColumn]
[MedianColumn]
public class ProcessBenchmarks
{
    private readonly CallEvent _event = Work.ReadEnvelope(Work.DocumentedEnvelope);

    /// <summary>The yardstick.</summary>
    [Benchmark(Baseline = true)]
    public int JsonDocumentParse() => Work.ParseDocument(Work.DocumentedEnvelope);

    /// <summary>The event from its envelope.</summary>
    [Benchmark]
    public CallEvent ReadEnvelope() => Work.ReadEnvelope(Work.DocumentedEnvelope);

    /// <summary>The event from its envelope, and the hash of its content, which is kept once it is made.</summary>
    [Benchmark]
    public string ReadEnvelopeAndHash() => Work.ReadEnvelope(Work.DocumentedEnvelope).Notice.ContentHash;

    /// <summary>The journal's keys.</summary>
    [Benchmark]
    public RowKey KeyOfJournal() => JournalKey.Of(_event);
}
