using System.Text.Json;
using TeleCmi.Pipeline.Storage;

namespace TeleCmi.Pipeline.Tests;

/// <summary>host.json is how Azure processes the queues, and says the same as the constants that the LocalHost's pumps use.</summary>
public sealed class QueueSettingsTests
{
    private readonly JsonElement _queues =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Find(), "host.json"))).RootElement.GetProperty("extensions").GetProperty("queues");

    [Fact]
    public void BatchSize_IsThePipelines() => Number("batchSize").ShouldBe(PipelineQueues.BatchSize);

    [Fact]
    public void NewBatchThreshold_IsThePipelines() => Number("newBatchThreshold").ShouldBe(PipelineQueues.NewBatchThreshold);

    [Fact]
    public void MaxDequeueCount_IsThePipelines() => Number("maxDequeueCount").ShouldBe(PipelineQueues.MaxDequeueCount);

    [Fact]
    public void VisibilityTimeout_IsThePipelinesRetryDelay() =>
        TimeSpan.ParseExact(_queues.GetProperty("visibilityTimeout").GetString()!, "c", null).ShouldBe(PipelineQueues.RetryDelay);

    private int Number(string name) => _queues.GetProperty(name).GetInt32();
}
